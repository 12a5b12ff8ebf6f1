# Gaze. "make report" makes the report, "make test" runs all tests, "make help" lists the rest.
# Every target runs the set-up it needs, which takes about a second if it was done before.

SHELL := /bin/sh
RUN := tools/with-env.sh
PY := .venv/bin/python
REPORT ?= report
REPRODUCED ?= reproduced
CUDA ?= 13
SEED ?= 1
TEACH ?= 0.15
DATA ?=
MODELS ?=
OTHERS ?=
SCALE ?= small
MPICC ?= mpicc
COVERAGE ?= 85
NOTEBOOK ?= $(wildcard notebooks/*.ipynb)

# Relative paths in GAZE_ variables are relative to the folder that make was typed in.
GAZE_START ?= $(or $(PWD),$(CURDIR))
export GAZE_START

.DEFAULT_GOAL := help
.PHONY: help setup setup-cuda plugin report reproduce study-pets pets37 pretrain captioner photos-captioner maps league bench cloud test-cloud lab check test lint test-short test-go test-race test-processors test-arm64 test-cluster test-cluster-short spark test-notebooks test-browser test-browser-short \
	mpi strip fmt golden lock clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

setup: ## set everything up in this clone (.venv, bin)
	@tools/setup.sh

setup-cuda: ## add XLA's CUDA plugin (several GB; CUDA=12 or 13)
	@tools/setup.sh cuda$(CUDA)

plugin: ## look for XLA's CPU plugin again
	@tools/setup.sh plugin

report: setup ## run every notebook, write report/index.html and, to print, report/all.html
	@bin/gaze report -o $(REPORT)

reproduce: setup ## train the classification notebook's final result again and compare; reproduced/pred.csv
	@$(RUN) go run ./recipes/reproduce -o $(REPRODUCED)

study-pets: setup ## the report's study on photographs (DATA=folder): of the hybrid on cached features (20 minutes a seed, SEEDS=3), or of MODELS=a,b with SCALE=short, small, full (hours); can be interrupted
ifeq ($(MODELS),)
	@$(RUN) go run ./recipes/pets37 -study -data "$(DATA)" -seed $(SEED) -seeds $(or $(SEEDS),1) -work pets37/work -o pets37/$(SEED)
	@echo "wrote pets37/$(SEED)/pets37/study-pets.json; the record that the notebook tells is internal/report/records/study-pets.json"
else
	@$(RUN) go run ./recipes/study-pets -data "$(DATA)" -models "$(MODELS)" -scale "$(SCALE)" -work study-pets
	@echo "the record that the notebook tells is internal/report/records/study-pets.json"
endif

pets37: setup ## train what knows 37 breeds from photographs (DATA=folder with train and val, OTHERS=captioned photographs, SEED; about half an hour, can be interrupted)
	@$(RUN) go run ./recipes/pets37 -data "$(DATA)" -others "$(OTHERS)" -seed $(SEED) -work pets37/work -o pets37/$(SEED)
	@echo "wrote pets37/$(SEED); the shipped models are in pkg/hub/shipped/pets37 and pets37-vit"

pretrain: setup ## train the small shipped model that the notebook fine-tunes (most of an hour on 2 cores; can be interrupted)
	@$(RUN) go run ./recipes/pretrain -work pretrain -o pretrain/pets-vit
	@echo "wrote pretrain/pets-vit; the shipped model is in pkg/hub/shipped/pets-vit"

bench: setup ## compare the speed with torch, JAX, ONNX Runtime; bench/results/PROCESSOR (ROWS=inference,training ROUNDS=5 WITHOUT=gaze-go MERGE=1, RESUME=1, QUICK=1; BENCH_ISA=avx2; STAGES=1: where a cell's time goes)
	@tools/bench.sh $(if $(STAGES),stages $(if $(ROUNDS),--rounds $(ROUNDS)),$(if $(ROWS),--rows $(ROWS)) $(if $(ONLY),--only "$(ONLY)") $(if $(WITHOUT),--without $(WITHOUT)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(MERGE),--merge) $(if $(RESUME),--resume) $(if $(QUICK),--quick))

captioner: setup ## train the shipped captioner (ten minutes on 2 cores; SEED=2 or TEACH=0 for the other runs in its record)
	@$(RUN) go run ./recipes/captioner -work captioner/run-$(SEED)-$(TEACH) -o captioner/$(SEED)-$(TEACH) -seed $(SEED) -teach $(TEACH)
	@echo "wrote captioner/$(SEED)-$(TEACH); the shipped captioner is in pkg/hub/shipped/scenes-captioner"

photos-captioner: setup ## train the shipped captioner of photographs (DATA=folder as COCO's captions.json and photos, SEEDS=1,2,3, LICENCES=free; can be interrupted)
	@$(RUN) go run ./recipes/photos-captioner -data "$(DATA)" -work photos-captioner -o photos-captioner/$(or $(LICENCES),all) -seeds "$(or $(SEEDS),1,2,3)" -licences "$(or $(LICENCES),all)"
	@echo "wrote photos-captioner/$(or $(LICENCES),all); the shipped captioner is in pkg/hub/shipped/photos-captioner"

maps: setup ## score the [class] attention of MODEL on the photographs of DATA, as 'gaze pull oxford-pets' writes them; maps/
	@$(RUN) go run ./recipes/maps -data "$(DATA)" -model "$(MODEL)" -o maps

league: setup ## find out which ways of making maps deserve belief (DATA=photographs as in 'make maps', QUICK=1; about an hour on 2 cores, can be interrupted); league/record.json
	@$(RUN) go run ./recipes/league -data "$(DATA)" $(if $(QUICK),-quick -work league/quick -o league/quick.json,-work league/work -o league/record.json)

cloud: setup ## build bin/gaze-cloud, which Gaze needs for s3:// and gs:// (fetches the drivers' modules, 100 MB)
	@cd cloud && ../$(RUN) go build '-ldflags=-s -w' -o ../bin/gaze-cloud .

lab: ## open JupyterLab on the notebooks (LABFLAGS=... for jupyter lab)
	@tools/setup.sh lab
	@PATH="$(CURDIR)/bin/lab:$$PATH" $(RUN) jupyter lab --ServerApp.root_dir=notebooks $(LABFLAGS)

check: lint test-short ## between edits: linters and the tests that are short (under 3 minutes)

test: lint test-notebooks test-browser-short test-race test-processors test-arm64 test-cluster-short test-go ## lint, notebooks, JupyterLab in Chromium, Go tests with coverage, other processors, a small job on Spark

lint: ## check formatting and run the linters
	@tools/setup.sh lint
	@tools/lint.sh

test-short: setup ## Go tests without those that take long
	@tools/test-short.sh

test-go: setup ## Go tests; fails if the coverage of pkg/ is below 85 %
	@tools/test-go.sh $(COVERAGE)

test-race: setup ## Go tests of the packages that share memory, with the race detector
	@tools/test-race.sh

test-processors: setup ## numerical Go tests with instruction sets switched off, as on older processors
	@tools/test-processors.sh

test-cloud: setup ## tests of gaze-cloud against an S3 server of its own (fetches the drivers' modules)
	@cd cloud && ../$(RUN) go vet ./... && ../$(RUN) go test ./...

test-arm64: setup ## tests of the kernels for 64-bit ARM, emulated; skipped without qemu-user and a cross compiler
	@tools/test-arm64.sh

test-cluster: setup ## jobs on this machine, on Spark and on Slurm with two nodes, with 20 kills each; half an hour; skips what isn't installed
	@tools/test-cluster.sh

test-cluster-short: setup ## a small job on this machine, and on Spark where Java and Spark are there
	@tools/test-cluster.sh --short

spark: setup ## build bin/gaze-spark, which talks to Spark for 'gaze batch run --spark' (two minutes the first time)
	@cd spark && ../$(RUN) go build -o ../bin/gaze-spark .
	@echo "built bin/gaze-spark"

# Notebook 1's study is made small, and the pages go to a folder of their own, so that they
# don't replace those of a report.
test-notebooks: setup ## tests of the notebook runner and of the kernel, then every notebook once; pages in report/test
	@$(PY) tools/notebooks/tests.py
	@$(PY) tools/notebooks/kernel_tests.py
	@GAZE_QUICK_STUDY=$${GAZE_QUICK_STUDY:-on} $(PY) tools/notebooks/run.py -o $(REPORT)/test

test-browser: ## drive NOTEBOOK in JupyterLab in Chromium; screenshots in report/browser
	@tools/test-browser.sh -o $(REPORT)/browser $(NOTEBOOK)

test-browser-short: ## the short form of test-browser, on a small notebook and notebook 2; skipped without Chromium
	@tools/test-browser.sh --short -o $(REPORT)/browser/short notebooks/2-position-embeddings.ipynb

mpi: ## compile the library with which gaze trains on several hosts, for this machine's MPI (MPICC=mpicc)
	@mkdir -p bin
	$(MPICC) -O2 -shared -fPIC -o bin/libgaze-mpi.so.tmp internal/mpi/library/gaze_mpi.c
	@mv bin/libgaze-mpi.so.tmp bin/libgaze-mpi.so

strip: setup ## remove outputs from the notebooks
	@$(PY) tools/notebooks/check.py --strip

fmt: setup ## format the Go code
	@$(RUN) goimports -local gaze -w $$(git ls-files '*.go')

golden: ## show how to make the tests' golden files again
	@cat tools/golden/README.md

lock: ## pin the packages of the *.in files again (needs uv)
	@tools/lock.sh

clean: ## remove what set-up and the report made
	rm -rf .venv bin bench/.venv bench/.cache $(REPORT) coverage.out
