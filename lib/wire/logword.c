/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary of log records; see logword.h. */
#include "wire/logword.h"

#include <string.h>
#include <strings.h>

#include "base/errname.h"
#include "base/macros.h"

#include "base/banned.h"

static const struct {
    const char *word;
    enum mh_level level;
    bool loud; /* in capitals it is a level wherever it stands */
} levels[] = {
    {"DEBUG", MH_LEVEL_debug, true},       {"TRACE", MH_LEVEL_debug, false},
    {"INFO", MH_LEVEL_info, true},         {"NOTICE", MH_LEVEL_info, false},
    {"WARN", MH_LEVEL_warning, true},      {"WARNING", MH_LEVEL_warning, true},
    {"ERR", MH_LEVEL_error, false},        {"ERROR", MH_LEVEL_error, true},
    {"EXCEPTION", MH_LEVEL_error, false},  {"CRIT", MH_LEVEL_critical, false},
    {"CRITICAL", MH_LEVEL_critical, true}, {"FATAL", MH_LEVEL_critical, true},
    {"ALERT", MH_LEVEL_critical, false},   {"EMERGENCY", MH_LEVEL_critical, false},
    {"PANIC", MH_LEVEL_critical, false},
};

static const char *const level_keys[] = {
    "level",    "levelname", "level_name", "log_level",     "log.level",
    "loglevel", "lvl",       "severity",   "severity_text", "severitytext",
};

/* How names of exception classes end; the part before must not be empty. */
static const char *const endings[] = {
    "Error",   "Exception",    "Timeout",     "Refused", "Interrupt", "Exit",     "Warning",
    "Failure", "Disconnected", "Unavailable", "Expired", "Closed",    "NotFound", "Violation",
};

/* Classes of the standard library that end otherwise. */
static const char *const odd_classes[] = {
    "gaierror", "herror", "StopIteration", "StopAsyncIteration", "IncompleteRead",
};

static const struct {
    const char *name;
    const char *text;
} errnos[] = {
#define ERRNO(name, text) {#name, text},
#include "base/errno.def"
#undef ERRNO
};

static const char *const file_endings[] = {
    "c",   "cc",  "cfg", "conf", "cpp", "css", "csv",  "go",  "h",    "html", "ini",  "java", "js",
    "jsx", "log", "md",  "php",  "pid", "py",  "pyc",  "pyi", "pyx",  "rb",   "rs",   "sh",   "so",
    "sql", "tmp", "ts",  "tsx",  "txt", "xml", "yaml", "yml", "json", "toml", "sock",
};

static const unsigned short small_ports[] = {
    21,  22,  25,  53,  80,  88,  110, 111, 123, 143, 161, 389,
    443, 445, 465, 514, 587, 631, 636, 853, 873, 990, 993, 995,
};

static const struct {
    const char *scheme;
    unsigned port;
} schemes[] = {
    {"http", 80},         {"https", 443},     {"ws", 80},      {"wss", 443},
    {"redis", 6379},      {"rediss", 6379},   {"amqp", 5672},  {"amqps", 5671},
    {"postgresql", 5432}, {"postgres", 5432}, {"mysql", 3306}, {"mongodb", 27017},
    {"nats", 4222},       {"ldap", 389},      {"ldaps", 636},  {"kafka", 9092},
};

static bool is(const char *word, size_t n, const char *row)
{
    return strlen(row) == n && !memcmp(word, row, n);
}

static bool is_any_case(const char *word, size_t n, const char *row)
{
    return strlen(row) == n && !strncasecmp(word, row, n);
}

enum mh_level mh_word_level(const char *word, size_t n, bool any_case)
{
    if (n < 3 || n > 9 || (!any_case && (word[0] < 'A' || word[0] > 'Z')))
        return MH_LEVEL_none;
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        if (any_case && is_any_case(word, n, levels[i].word))
            return levels[i].level;
        if (!any_case && levels[i].loud && is(word, n, levels[i].word))
            return levels[i].level;
    }
    return MH_LEVEL_none;
}

bool mh_word_level_key(const char *word, size_t n)
{
    if ((word[0] | 0x20) != 'l' && (word[0] | 0x20) != 's')
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(level_keys); i++)
        if (is_any_case(word, n, level_keys[i]))
            return true;
    return false;
}

bool mh_word_ident(const char *word, size_t n)
{
    static const char *const keys[] = {"request_id",     "request-id",     "requestid", "req_id",
                                       "x-request-id",   "trace_id",       "trace-id",  "traceid",
                                       "correlation_id", "correlation-id", "task_id"};
    size_t digits = 0, dashes = 0;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (is_any_case(word, n, keys[i]))
            return true;
    for (size_t i = 0; i < n; i++) {
        char c = (char)(word[i] | 0x20);

        digits += (word[i] >= '0' && word[i] <= '9') || (c >= 'a' && c <= 'f');
        dashes += word[i] == '-';
    }
    return digits == 32 && (n == 32 || (n == 36 && dashes == 4));
}

bool mh_word_trace_key(const char *word, size_t n)
{
    static const char *const keys[] = {"trace_id", "traceid",     "trace.id",
                                       "trace-id", "oteltraceid", "dd.trace_id"};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (is_any_case(word, n, keys[i]))
            return true;
    return false;
}

/* n digits in small letters, not all of them 0. */
static bool is_hex(const char *p, size_t n)
{
    bool other = false;

    for (size_t i = 0; i < n; i++) {
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
            return false;
        other = other || p[i] != '0';
    }
    return other;
}

const char *mh_word_trace(const char *word, size_t n, bool bare)
{
    enum { ID = 32, PARENT = 16, WHOLE = 3 + ID + 1 + PARENT + 3 };

    if (n == ID)
        return bare && is_hex(word, ID) ? word : NULL;
    if (n != WHOLE || memcmp(word, "00-", 3) != 0 || word[3 + ID] != '-' ||
        word[3 + ID + 1 + PARENT] != '-' || !is_hex(word + 3, ID) ||
        !is_hex(word + 3 + ID + 1, PARENT))
        return NULL;
    return word + 3;
}

static bool is_identifier(const char *word, size_t n)
{
    if (!n || (word[0] >= '0' && word[0] <= '9'))
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = word[i];

        if (!(c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')))
            return false;
    }
    return true;
}

const char *mh_word_exception(const char *word, size_t n, size_t *ret_n)
{
    const char *dot = memrchr(word, '.', n);
    const char *last = dot ? dot + 1 : word;
    size_t len = n - (size_t)(last - word);
    size_t skip;

    if (len < 5 || len > 60 || !is_identifier(last, len))
        return NULL;
    *ret_n = len;
    for (size_t i = 0; i < ARRAY_SIZE(odd_classes); i++)
        if (odd_classes[i][0] == last[0] && is(last, len, odd_classes[i]))
            return last;
    /* CapWords, perhaps private: an identifier glued together with underscores is no class. */
    skip = last[0] == '_';
    if (len == skip || last[skip] < 'A' || last[skip] > 'Z' || memchr(last + skip, '_', len - skip))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        size_t end = strlen(endings[i]);

        /* "Error" alone is English; "psycopg2.Error" is a class. */
        if (len >= end + !dot && !memcmp(last + len - end, endings[i], end))
            return last;
    }
    return NULL;
}

const char *mh_word_errno(const char *word, size_t n)
{
    char name[24];
    int eai;

    if (n < 3 || n >= sizeof(name) || word[0] != 'E')
        return NULL;
    memcpy(name, word, n);
    name[n] = '\0';
    if (mh_errno_number(name) > 0)
        return mh_errno_name(mh_errno_number(name));
    eai = mh_eai_number(name);
    return eai ? mh_eai_name(eai) : NULL;
}

const char *mh_word_errno_text(const char *bytes, size_t n)
{
    const char *ret = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
        size_t len;

        if (errnos[i].text[0] != bytes[0])
            continue;
        len = strlen(errnos[i].text);
        if (len > longest && len <= n && !memcmp(bytes, errnos[i].text, len)) {
            longest = len;
            ret = errnos[i].name;
        }
    }
    return ret;
}

static bool is_ipv4(const char *word, size_t n)
{
    unsigned parts = 1, value = 0, digits = 0;

    for (size_t i = 0; i < n; i++) {
        if (word[i] == '.' && digits) {
            parts++;
            value = digits = 0;
        } else if (word[i] >= '0' && word[i] <= '9') {
            value = value * 10 + (unsigned)(word[i] - '0');
            if (++digits > 3 || value > 255)
                return false;
        } else {
            return false;
        }
    }
    return parts == 4 && digits;
}

enum mh_host mh_word_host(const char *word, size_t n)
{
    const char *dot = memrchr(word, '.', n);

    if (!n || n > 63)
        return MH_HOST_no;
    if (is_ipv4(word, n))
        return MH_HOST_ipv4;
    if (word[0] < 'a' || word[0] > 'z')
        return MH_HOST_no;
    for (size_t i = 0; i < n; i++)
        if (word[i] >= 'A' && word[i] <= 'Z')
            return MH_HOST_no;
    if (!dot)
        return MH_HOST_name;
    for (size_t i = 0; i < ARRAY_SIZE(file_endings); i++)
        if (is(dot + 1, n - (size_t)(dot + 1 - word), file_endings[i]))
            return MH_HOST_no;
    return MH_HOST_dotted;
}

bool mh_word_port(enum mh_host host, unsigned long port)
{
    if (host == MH_HOST_no || port < 1 || port > 65535)
        return false;
    if (host == MH_HOST_ipv4 || port >= 1024)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(small_ports); i++)
        if (small_ports[i] == port)
            return true;
    return false;
}

unsigned mh_word_scheme_port(const char *scheme, size_t n)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (is_any_case(scheme, n, schemes[i].scheme))
            return schemes[i].port;
    return 0;
}
