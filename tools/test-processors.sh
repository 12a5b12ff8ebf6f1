#!/bin/sh
# Runs the tests of code that depends on the processor, with instruction sets switched off:
# tools/test-processors.sh
#
# Gaze, GoMLX's Go backend and XLA choose their code when a program starts. Each case sets
# GAZE_TEST_VECTORS and GAZE_TEST_KERNELS to the code that should be left, and the tests
# called TestProcessorSwitches fail if a switch has no effect. "make test" also runs the
# tests with the code for the machine's own processor.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"

if [ "$(go env GOARCH)" != amd64 ]; then
  echo "other processors: skipped, only amd64 has code for several instruction sets"
  exit 0
fi

# The user's own values of these variables would also affect the choice.
unset GAZE_KERNELS GAZE_TILES XLA_FLAGS GOMLX_SIMD_AVX512 GOMLX_SIMD_AVX2
# The tests' compiled XLA programs would only fill the user's cache.
: "${GAZE_COMPILED:=off}"
export GAZE_COMPILED

no512=cpu.avx512f=off
no2=cpu.avx512f=off,cpu.avx2=off

# check CASE VARIABLE=VALUE... -- ARGUMENTS runs go test with the variables. go test caches
# its results without regard to GODEBUG, hence -count=1.
check() {
  echo "== $1"
  shift
  variables=
  while [ "$1" != -- ]; do
    variables="$variables $1"
    shift
  done
  shift
  # shellcheck disable=SC2086 # none of the variables has a blank
  env $variables go test -count=1 -timeout 10m "$@"
}

golden='Switches|HeldTo|Products|Vector|Golden|BFloat16|HeadOfAnyLayout|Probabilities|Derivative|PadGradient'
pure='./pkg/backend ./pkg/nn ./pkg/vit ./pkg/train ./pkg/caption'
pictures='./pkg/transform ./internal/jpeg'

# shellcheck disable=SC2086 # lists of packages
{
  check "no vectors, the Go backend" GODEBUG=$no2 GAZE_KERNELS=off GOMLX_BACKEND=go GAZE_TEST_VECTORS=none GAZE_TEST_KERNELS=off -- -run "$golden" $pure
  check "no vectors, pictures" GODEBUG=$no2 GAZE_TEST_VECTORS=none -- -skip NoAllocation $pictures
  check "built without vectors, pictures" GOEXPERIMENT=nosimd -- -skip NoAllocation $pictures
  check "AVX2, the Go backend" GODEBUG=$no512 GAZE_KERNELS=off GOMLX_BACKEND=go GAZE_TEST_VECTORS=AVX2 GAZE_TEST_KERNELS=off -- -run "$golden" $pure
}

if [ "$(go env CGO_ENABLED)" = 0 ]; then
  echo "XLA on other processors: skipped, it needs cgo"
  exit 0
fi
# XLA takes seconds to compile each program, so only a few tests run.
check "AVX2, XLA" GODEBUG=$no512 GAZE_KERNELS=off XLA_FLAGS=--xla_cpu_max_isa=AVX2 GAZE_TEST_VECTORS=AVX2 GAZE_TEST_KERNELS=off -- \
  -run 'Switches|HeldTo|Products|Probabilities|RunInBFloat16|BFloat16Golden/default|GreedyGolden|TestGolden/(timm_vit|hf_dinov2)/' \
  ./pkg/backend ./pkg/nn ./pkg/vit ./pkg/train ./pkg/caption
check "AVX-512 without tiles, XLA" GAZE_TILES=off GAZE_TEST_KERNELS=tilesoff -- \
  -run 'Switches|Products|Kernels|PackedWeights|TestGolden/(timm_vit|hf_dinov2)/' ./pkg/backend ./pkg/nn ./pkg/vit
