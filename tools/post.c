/* SPDX-License-Identifier: Apache-2.0 */
/* The easy interface of libcurl, by dlopen(); see post.h. */
#include "post.h"

#ifdef HAVE_CURL
#include <curl/curl.h>
#include <dlfcn.h>
#endif
#include <stdio.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

#ifdef HAVE_CURL

#define CONNECT_MS 3000L
#define WHOLE_MS   10000L

static struct {
    __typeof__(&curl_easy_init) init;
    __typeof__(&curl_easy_setopt) set;
    __typeof__(&curl_easy_perform) perform;
    __typeof__(&curl_easy_getinfo) info;
    __typeof__(&curl_easy_strerror) error;
    __typeof__(&curl_easy_cleanup) cleanup;
    __typeof__(&curl_slist_append) append;
    __typeof__(&curl_slist_free_all) free_all;
} curl;

static bool get(void *library, const char *name, void *to)
{
    void *found = dlsym(library, name);

    memcpy(to, &found, sizeof(found));
    return found != NULL;
}

bool mh_post_can(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    void *library = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(names) && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return library && get(library, "curl_easy_init", &curl.init) &&
           get(library, "curl_easy_setopt", &curl.set) &&
           get(library, "curl_easy_perform", &curl.perform) &&
           get(library, "curl_easy_getinfo", &curl.info) &&
           get(library, "curl_easy_strerror", &curl.error) &&
           get(library, "curl_easy_cleanup", &curl.cleanup) &&
           get(library, "curl_slist_append", &curl.append) &&
           get(library, "curl_slist_free_all", &curl.free_all);
}

/* What is answered may quote what was sent: it is not looked at. */
static size_t drop(char *data, size_t size, size_t n, void *unused)
{
    (void)data;
    (void)unused;
    return size * n;
}

/* A redirection would take the key elsewhere: it is a failure. */
static CURLcode perform(CURL *c, const char *address, struct curl_slist *headers, const char *json)
{
    curl.set(c, CURLOPT_URL, address);
    curl.set(c, CURLOPT_HTTPHEADER, headers);
    curl.set(c, CURLOPT_POSTFIELDS, json);
    curl.set(c, CURLOPT_POSTFIELDSIZE, (long)strlen(json));
    curl.set(c, CURLOPT_WRITEFUNCTION, drop);
    curl.set(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl.set(c, CURLOPT_TIMEOUT_MS, WHOLE_MS);
    curl.set(c, CURLOPT_NOSIGNAL, 1L);
    curl.set(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl.set(c, CURLOPT_USERAGENT, "mishap/" MISHAP_VERSION);
    return curl.perform(c);
}

int mh_post(const char *address, const char *header, const char *json, char why[MH_POST_WHY])
{
    struct curl_slist *headers = NULL, *more;
    long status = 0;
    CURLcode r;
    CURL *c;

    snprintf(why, MH_POST_WHY, "libcurl is not here, or has no memory");
    if (strncmp(address, "https://", 8) != 0 && strncmp(address, "http://", 7) != 0)
        return snprintf(why, MH_POST_WHY, "its address begins with neither https:// nor http://"),
               -1;
    c = mh_post_can() ? curl.init() : NULL;
    if (!c)
        return -1;
    headers = curl.append(NULL, "Content-Type: application/json");
    more = headers && header ? curl.append(headers, header) : headers;
    if (more) {
        headers = more;
        r = perform(c, address, headers, json);
        curl.info(c, CURLINFO_RESPONSE_CODE, &status);
        if (r != CURLE_OK)
            snprintf(why, MH_POST_WHY, "%s", curl.error(r));
        else
            snprintf(why, MH_POST_WHY, "it answered with status %ld", status);
    }
    curl.free_all(headers);
    curl.cleanup(c);
    return status >= 200 && status < 300 ? 0 : -1;
}

#else

bool mh_post_can(void)
{
    return false;
}

int mh_post(const char *address, const char *header, const char *json, char why[MH_POST_WHY])
{
    (void)address;
    (void)header;
    (void)json;
    snprintf(why, MH_POST_WHY, "mishap was built without libcurl");
    return -1;
}

#endif
