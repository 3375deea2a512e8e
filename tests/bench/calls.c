/* SPDX-License-Identifier: Apache-2.0 */
/* Nanoseconds of single calls: the best of many short rounds, since what else runs on the machine
 * only ever adds. `bench-calls` prints one line a call: name, figure. The descriptor of recv and
 * send is a TCP connection, which the library observes when it is loaded. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 25 };

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

#define BEST(name, times, body)                                                                    \
    do {                                                                                           \
        double best = 1e18;                                                                        \
        for (int round_ = 0; round_ < ROUNDS; round_++) {                                          \
            double begun = now(), took;                                                            \
            for (int i = 0; i < (times); i++)                                                      \
                body;                                                                              \
            took = (now() - begun) / (times);                                                      \
            best = took < best ? took : best;                                                      \
        }                                                                                          \
        printf("%s %.3f\n", name, best);                                                           \
    } while (0)

/* p[0] connected to p[1]. */
static int connection(int p[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int l = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    p[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (l < 0 || p[0] < 0 || bind(l, (struct sockaddr *)&at, len) || listen(l, 1) ||
        getsockname(l, (struct sockaddr *)&at, &len) || connect(p[0], (struct sockaddr *)&at, len))
        return -1;
    p[1] = accept(l, NULL, NULL);
    setsockopt(p[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return p[1] < 0 ? -1 : close(l);
}

int main(void)
{
    int null = open("/dev/null", O_WRONLY), set = epoll_create1(0), p[2];
    struct epoll_event event = {.events = EPOLLOUT};
    static char data[32768], b[1];
    FILE *from = fopen("/dev/zero", "r"), *to = fopen("/dev/null", "w");
    struct stat st;
    sem_t sem;

    if (null < 0 || !from || !to || connection(p) || sem_init(&sem, 0, 0))
        return 1;
    BEST("read(-1)", 100000, { (void)!read(-1, b, 1); });
    BEST("write(/dev/null)", 100000, { (void)!write(null, b, 1); });
    BEST("fgetc(/dev/zero)", 100000, { fgetc(from); });
    BEST("fputc(/dev/null)", 100000, { fputc(1, to); });
    BEST("stat(no name)", 100000, { stat("", &st); });
    BEST("fstat(-1)", 100000, { fstat(-1, &st); });
    BEST("poll(nothing)", 50000, { poll(NULL, 0, 0); });
    event.data.fd = p[1]; /* as event loops have it; gRPC has pointers */
    epoll_ctl(set, EPOLL_CTL_ADD, p[1], &event);
    BEST("epoll_wait(observed)", 20000, { epoll_wait(set, &event, 1, 100); });
    event.data.ptr = data;
    epoll_ctl(set, EPOLL_CTL_MOD, p[1], &event);
    BEST("epoll_wait(observed, by pointer)", 20000, { epoll_wait(set, &event, 1, 100); });
    BEST("sem_post, sem_wait(free)", 100000, {
        sem_post(&sem);
        sem_wait(&sem);
    });
    {
        struct timespec ts;

        BEST("clock_gettime", 100000, { clock_gettime(CLOCK_REALTIME, &ts); });
    }
    {
        double best = 1e18;

        for (int round_ = 0; round_ < ROUNDS; round_++) {
            double begun, took;

            if (send(p[1], data, sizeof(data), 0) != (ssize_t)sizeof(data))
                return 1;
            for (int have = 0; have < (int)sizeof(data);) /* all of it has arrived */
                have = (int)recv(p[0], data, sizeof(data), MSG_PEEK);
            begun = now();
            for (int i = 0; i < (int)sizeof(data); i++)
                if (recv(p[0], b, 1, 0) != 1)
                    return 1;
            took = (now() - begun) / sizeof(data);
            best = took < best ? took : best;
        }
        printf("recv(observed) %.3f\n", best);
    }
    return 0;
}
