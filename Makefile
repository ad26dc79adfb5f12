.PHONY: build test bench screenshots generate dev

build:
	go build -o restante ./cmd/restante

# Installs what it needs (Debian, root or sudo) and leaves nothing out.
test:
	./.ci/test

# Ratios to raw IMAP in the same run, on mailboxes of 1k, 10k and 100k mails; needs Dovecot and Postfix.
# RESTANTE_BENCH_SIZES=1000 and RESTANTE_BENCH_PARTS=reading,sending,import,imports,pages,acting,memory measure less.
bench:
	RESTANTE_BENCH=1 go test -count=1 -v -timeout 90m -run '^TestMeasure' ./cmd/restante

# Every screen at three sizes, by day and night, into screenshots/; needs Chromium.
screenshots:
	RESTANTE_SCREENSHOTS=$(CURDIR)/screenshots go test -count=1 -timeout 20m -run '^TestScreenshots$$' ./cmd/restante

# Brings the vendored front-end files anew; needs npm.
generate:
	go generate ./static

dev: build
	./restante demo -data data -log debug
