/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd(): a signal that is read; a known descriptor only gets another mask. */
#include "snippet.h"

#include <signal.h>
#include <sys/signalfd.h>

int snippet_signalfd(void)
{
    struct signalfd_siginfo info;
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    TRY(fd);
    WANT(raise(SIGUSR1) == 0 && read(fd, &info, sizeof(info)) == sizeof(info));
    WANT(info.ssi_signo == SIGUSR1 && signalfd(fd, &set, 0) == fd);
    close(fd);
    return 0;
}
