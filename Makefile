# Casilla. The two commands of a newcomer: `make demo` and `make test`.
#
# DEMO_DIR (default var/demo) holds the demo's state; DEMO_PORT (default 8480) is the first of its 15 ports.

PYTHON := .venv/bin/python
# The mail servers need root: each of them runs as a user of its own.
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo --preserve-env=DEMO_DIR,DEMO_PORT,TMPDIR)
# More than cores: the tests wait for servers and for Chromium half of their time.
WORKERS ?= 3

.PHONY: demo demo-reset test test-hostile test-clients test-variants test-faults test-kill test-pull-kill test-switch bench bench-browser bench-burst bench-gap bench-idle bench-lists bench-pop3 bench-reading bench-store bench-watch bench-activity bench-usage check install lint lock messages

demo: install            ## Everything on this machine, until Ctrl-C
	@exec $(ROOT) $(PYTHON) manage.py demo

demo-reset: install      ## Throws the demo's state away and starts it over
	@$(ROOT) $(PYTHON) manage.py demo --reset
	@exec $(ROOT) $(PYTHON) manage.py demo

test: install lint       ## Everything that must hold, real servers and browser too; what fails beside others is run once more alone
	@TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -n $(WORKERS) --maxschedchunk 2; code=$$?; [ $$code != 1 ] || \
	{ echo "--- once more, alone: a test that passes now is unsteady, and that is a fault of its own ---"; \
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -n 1 --lf --lfnf=none; code=$$?; }; exit $$code

test-hostile: install    ## Every hostile message in Chromium and beside IMAP, not one in ten; bounds at their full size
	TESTING=1 HOSTILE_STEP=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack tests/browser/test_hostile.py tests/storage --timeout 900
	TESTING=1 BOUNDS_BYTES=2000000 $(ROOT) $(PYTHON) -m pytest -p tests.stack tests/markup/test_bounds.py -n $(WORKERS)

test-clients: install    ## Casilla beside Debian's Thunderbird, mbsync and mutt on one mailbox (writes docs/parity.md); Thunderbird set up from an address alone; POP3 programs take mail away
	$(ROOT) apt-get install -y -q --no-install-recommends thunderbird fetchmail getmail6 mpop
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/clients tests/parity -m clients
	TESTING=1 PARITY_MESSAGES=2000 $(ROOT) $(PYTHON) -m pytest -p tests.stack tests/parity/test_clients.py --timeout 600

test-variants: install   ## Every page in the windows and colours that the suite leaves out; all of the contract on Cyrus; lists of 100,000 mailboxes; 3,600 forecasts
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -n $(WORKERS) tests/browser tests/markup tests/imap tests/live tests/portal tests/contract tests/usage -m variants
	TESTING=1 PORTAL_SCALE=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/portal/test_scale.py

test-faults: install     ## Connections cut, and other programs at work, at every command, on servers that can less too
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -n $(WORKERS) tests/faults -m "faults or not faults"

test-kill: install       ## Workers are killed 200 times while they send, then web, Redis and workers 200 times: nothing lost, nothing twice
	TESTING=1 KILL_MESSAGES=200 KILL_TIMES=200 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/sending/test_kill.py
	TESTING=1 KILL_ALL_TIMES=200 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/sending/test_kill_all.py

test-pull-kill: install  ## Workers are killed 200 times while they pull over POP3: nothing lost, nothing twice
	TESTING=1 PULL_KILLS=200 PULL_MESSAGES=300 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/pulling/test_kill.py

test-switch: install     ## Workers are killed 100 times while they change where the mail lives, and 200 times while they take files in
	TESTING=1 SWITCH_KILLS=100 SWITCH_MESSAGES=200 IMPORT_KILLS=100 IMPORT_MESSAGES=1500 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/transfer -k killed

bench: install           ## Roundcube, Casilla and bare IMAP beside each other, in one run (MAILBENCH=folder of the harness)
	@MAILBENCH="$(MAILBENCH)" $(ROOT) bench/run.sh

bench-browser: install   ## Milliseconds from a key to the next paint in Chromium, with 100,000 messages; weight of the first page
	TESTING=1 SPEED_MESSAGES=100000 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/browser/test_speed.py -m "variants or not variants" -p no:randomly

bench-idle: install      ## Memory of people who are signed in and do nothing (IDLE_PEOPLE=200)
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/bench_idle.py -p no:randomly

bench-burst: install     ## How soon an open page shows 1,000 changes that another program makes at once
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/bench_burst.py -p no:randomly

bench-gap: install       ## What a list costs after a gap in which messages left, came and were marked (BENCH_SIZES)
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/bench_gap.py -p no:randomly

bench-pop3: install      ## What a pull costs, beside fetchmail, getmail6 and mpop on the same server
	$(ROOT) apt-get install -y -q --no-install-recommends fetchmail getmail6 mpop
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack tests/bench_pop3.py -p no:randomly

bench-reading: install   ## What it costs to list and open mail in an Inbox of 1,000, 10,000 and 100,000
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack tests/bench_reading.py -p no:randomly

bench-lists: install     ## What the lists of a watched account cost (BENCH_SIZES=1000,10000,100000)
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack tests/bench_lists.py -p no:randomly

bench-store: install     ## What it costs to list, sort, search and open downloaded mail, beside the same over IMAP
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack tests/bench_store.py -p no:randomly

bench-activity: install  ## How many lines of Dovecot's log the collector of activity counts in a second
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/bench_activity.py -p no:randomly

bench-usage: install     ## What the space of 100,000 mailboxes costs, on SQLite and PostgreSQL: a day's sample, two years of history, and the pages
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/bench_usage.py tests/bench_shares.py -p no:randomly

bench-watch: install     ## What a watched account (WATCH_ACCOUNTS=500) and an open page cost, how soon an event is there
	TESTING=1 $(ROOT) $(PYTHON) -m pytest -p tests.stack -s tests/bench_watch.py tests/bench_delay.py -p no:randomly

check: install lint      ## The quick part, under a minute
	TESTING=1 $(PYTHON) -m pytest -p tests.stack -n $(WORKERS) -m "not server and not browser and not slow"

install:                 ## What is missing: Debian packages, .venv, node_modules, translations
	@deploy/install.sh

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	TESTING=1 $(PYTHON) -m mypy
	TESTING=1 .venv/bin/lint-imports

lock: install            ## Writes the hashed locks anew from requirements/*.in
	.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 -o requirements/base.txt requirements/base.in
	.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 -o requirements/dev.txt requirements/dev.in

messages: install        ## Collects the strings to translate into locale/
	TESTING=1 $(PYTHON) manage.py makemessages -l es --no-location --ignore node_modules --ignore .venv --ignore var
