/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a verdict, which `mishap run` and `mishap report` share; see judge.h. */
#include "judge.h"

#include "base/banned.h"

enum {
    KEY_REPORT = 512,
    KEY_FAIL_ON,
    KEY_BASELINE,
    KEY_HISTORY,
    KEY_WAIVERS,
    KEY_ADVICE,
    KEY_LANG,
    KEY_ALERT
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct mh_judge *j = state->input;

    switch (key) {
    case KEY_REPORT:
        if (j->nreports == MH_MOST_REPORTS)
            argp_error(state, "more than %d reports", MH_MOST_REPORTS);
        else
            j->reports[j->nreports++] = arg;
        return 0;
    case KEY_ALERT:
        if (j->nalerts == MH_MOST_ALERTS)
            argp_error(state, "more than %d alerts", MH_MOST_ALERTS);
        else
            j->alerts[j->nalerts++] = arg;
        return 0;
    case KEY_FAIL_ON:
        j->fail_on = arg;
        return 0;
    case KEY_BASELINE:
        *(mh_judge_stored(arg) ? &j->earlier : &j->baseline) = arg;
        return 0;
    case KEY_HISTORY:
        j->history = arg;
        return 0;
    case KEY_WAIVERS:
        j->waivers = arg;
        return 0;
    case KEY_ADVICE:
        j->advice = arg;
        return 0;
    case KEY_LANG:
        j->lang = arg;
        return 0;
    case 'v':
        j->verbose = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option rows[] = {
    {"report", KEY_REPORT, "FILE", 0,
     "Also write a report; its suffix picks the format; may repeat", 0},
    {"alert", KEY_ALERT, "SERVICE[=FILE]", 0,
     "Tell slack of the grade (address in SLACK_WEBHOOK_URL), or opsgenie of one that the gate "
     "does "
     "not let pass (key in OPSGENIE_API_KEY); FILE: its first line is that instead; may repeat",
     0},
    {"fail-on", KEY_FAIL_ON, "SEVERITY", 0,
     "Exit 10 when a finding is this bad or worse: low, medium, high, critical", 0},
    {"baseline", KEY_BASELINE, "DIR|REPORT.json", 0,
     "DIR: clean recordings, what is normal; REPORT.json: an earlier run, of which only what is "
     "new or "
     "worse fails the gate; may be given once each",
     0},
    {"history", KEY_HISTORY, "FILE", 0,
     "Put this run into the file, which keeps the grades of the last 20, and report their trend",
     0},
    {"waivers", KEY_WAIVERS, "FILE", 0,
     "Findings to live with for a while: [waiver ID] with reason, owner and expires = YYYY-MM-DD",
     0},
    {"advice", KEY_ADVICE, "FOLDER", 0,
     "Fixes by library from its *.ini, instead of those that are shipped", 0},
    {"lang", KEY_LANG, "en|pt", 0,
     "Language of the text, Markdown and HTML reports (default en): their frame, titles, what was "
     "seen, and fixes; ids, severities, code and formats for programs are English",
     0},
    {"verbose", 'v', 0, 0, "All of the text report, not one screen", 0},
    {0},
};

const struct argp mh_judge_argp = {.options = rows, .parser = parse};
