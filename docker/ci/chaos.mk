# SPDX-License-Identifier: Apache-2.0
# include this, and `make chaos` is the same stage that CI runs. MISHAP_SOURCE is a checkout of mishap.
MISHAP_SOURCE ?= .mishap/src
CHAOS_RUN ?= -c flaky-redis --ready 127.0.0.1:8000 --with ./load.sh -- uvicorn shop:app --port 8000
CHAOS_FAIL_ON ?= high

.PHONY: chaos chaos-baseline
chaos:
	tools=$$($(MISHAP_SOURCE)/docker/ci/install) && PATH="$$tools:$$PATH" $(MISHAP_SOURCE)/docker/ci/chaos-stage \
	    -o chaos-report -b .mishap/baseline.json -t .mishap/history.json -w .mishap/waivers.ini -s $(CHAOS_FAIL_ON) -- $(CHAOS_RUN)

# What is open now is agreed on: from here on only what is new or worse stops `make chaos`.
chaos-baseline:
	mkdir -p .mishap && cp chaos-report/report.json .mishap/baseline.json
