.PHONY: build test
build:
	go build -o restante ./cmd/restante

test:
	./.ci/test
