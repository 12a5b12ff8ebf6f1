#!/bin/sh
# Prepares the clone: tools/setup.sh [lab|lint|browser|cuda12|cuda13|plugin]...
#
# Without arguments it installs everything that the report and the tests need. The
# arguments add gopls for JupyterLab, the linters, the browser test's packages, or a CUDA
# plugin; "plugin" looks for XLA's CPU plugin again. Everything is installed in .venv and
# bin of the clone. Each step leaves a stamp and is skipped while its inputs are
# unchanged, so running this again takes about a second.
#
# GAZE_PLUGIN=wheel|installer|none limits the sources of XLA's CPU plugin.
# GAZE_SKIP_BUILD=on doesn't build bin/gaze and bin/gaze-kernel, for container images that get the code later.
# PYTHON is the Python to build .venv with (default: python3).
set -eu

GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$GAZE_ROOT"
stamps=.venv/gaze

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# is_on NAME succeeds if a variable is on. A value that is neither on nor off is an error.
is_on() {
  eval "value=\${$1:-}"
  case $(printf %s "$value" | tr '[:upper:]' '[:lower:]') in
    '' | off | 0 | no | false) return 1 ;;
    on | 1 | yes | true) return 0 ;;
    *) die "$1 is '$value': it must be on or off." ;;
  esac
}

check_settings() {
  skip_build=''
  if is_on GAZE_SKIP_BUILD; then skip_build=yes; fi
  for source in ${GAZE_PLUGIN:-}; do
    case $source in
      wheel | installer | none) ;;
      *) die "GAZE_PLUGIN is '$GAZE_PLUGIN': use wheel, installer or none." ;;
    esac
  done
}

# fingerprint FILE... prints a number that changes with the files' contents.
fingerprint() { cat "$@" | cksum | tr ' ' '-'; }

# done_already STEP VALUE succeeds if the step was done for that value.
done_already() { [ -r "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]; }

# stamp STEP VALUE records that the step is done.
stamp() {
  mkdir -p "$stamps"
  printf '%s\n' "$2" >"$stamps/.$1.$$"
  mv "$stamps/.$1.$$" "$stamps/$1"
}

# pip_install FILE installs exactly the packages of a locked requirements file.
pip_install() {
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-deps --require-hashes -r "$1"
}

check_go() {
  command -v go >/dev/null || die "Go isn't on the PATH: install Go 1.26 or newer (https://go.dev/dl)."
  version=$(GOWORK=off go env GOVERSION) || die "'go env' fails in this folder; see above."
  number=${version#go}
  major=${number%%.*}
  minor=${number#*.}
  minor=${minor%%[!0-9]*}
  if [ "$major" -lt 1 ] || { [ "$major" -eq 1 ] && [ "$minor" -lt 26 ]; }; then
    die "Go is $version, 1.26 or newer is needed (https://go.dev/dl)."
  fi
}

check_python() {
  python=${PYTHON:-python3}
  command -v "$python" >/dev/null || die "$python isn't on the PATH: install Python 3.10 or newer, or set PYTHON."
  # In an activated .venv this is the Python that it was made with.
  python=$("$python" -c 'import os, sys; print(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))')
  python_id=$("$python" -c 'import sys; print(sys.version.split()[0], sys.executable)')
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    die "$python is ${python_id%% *}, 3.10 or newer is needed; set PYTHON to another."
}

# c_works COMPILER... succeeds if a program with libc's headers can be built.
c_works() {
  probe=$(mktemp -d)
  printf '#include <stdlib.h>\n#include <dlfcn.h>\nint main(void) { return dlopen(0, 1) == 0; }\n' >"$probe/probe.c"
  result=0
  "$@" -o "$probe/probe" "$probe/probe.c" >/dev/null 2>&1 || "$@" -o "$probe/probe" "$probe/probe.c" -ldl >/dev/null 2>&1 || result=1
  rm -rf "$probe"
  return $result
}

# find_c finds a C compiler for cgo, which XLA needs, and records it for tools/env.sh: the
# machine's own, or else one from a wheel.
find_c() {
  cgo=1
  if [ "${CGO_ENABLED:-1}" = 0 ]; then
    cgo=0
    say "CGO_ENABLED is 0: building without XLA, on GoMLX's Go backend."
    return
  fi
  # CC may have arguments, so it is split on purpose.
  # shellcheck disable=SC2046
  if c_works $(go env CC); then
    rm -f "$stamps/cc"
    return
  fi
  wrapper="$GAZE_ROOT/.venv/bin/gaze-cc"
  if [ -x "$wrapper" ] && c_works "$wrapper"; then
    stamp cc "$wrapper"
    return
  fi
  if [ "$(uname -s)" = Linux ]; then
    say "no C compiler found: installing zig's as a wheel (100 MB), for cgo"
    if pip_install tools/plugins/cc.txt; then
      zig=$(.venv/bin/python -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))')
      cat >"$wrapper" <<WRAPPER
#!/bin/sh
ZIG_GLOBAL_CACHE_DIR="$GAZE_ROOT/.venv/zig" ZIG_LOCAL_CACHE_DIR="$GAZE_ROOT/.venv/zig" exec "$zig" cc "\$@"
WRAPPER
      chmod +x "$wrapper"
      if c_works "$wrapper"; then
        stamp cc "$wrapper"
        return
      fi
    fi
  fi
  cgo=0
  rm -f "$stamps/cc"
  say "No working C compiler: building without XLA, on GoMLX's Go backend." \
    "Everything works, but several times slower. For XLA: apt-get install gcc libc6-dev (macOS: xcode-select --install), then run this again."
}

make_venv() {
  # A virtual environment has absolute paths, so a clone that was moved needs a new one.
  value="$GAZE_ROOT $python_id"
  done_already venv "$value" && return
  say "making .venv with Python ${python_id%% *}"
  rm -rf .venv
  if ! "$python" -m venv .venv >/dev/null 2>&1; then
    rm -rf .venv
    # Debian has ensurepip, which installs pip, in a separate package.
    say "$python has no ensurepip: downloading pip"
    if ! { "$python" -m venv --without-pip .venv && "$python" tools/bootstrap_pip.py .venv; }; then
      rm -rf .venv
      short=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
      die "$python can't make a virtual environment." \
        "On Debian or Ubuntu: apt-get install $short-venv (or python3-venv), then run this again."
    fi
  fi
  stamp venv "$value"
}

install_python_packages() {
  value=$(fingerprint tools/notebooks/requirements.txt)
  done_already packages "$value" && return
  say "installing JupyterLab, nbconvert and nbclient (tools/notebooks/requirements.txt)"
  pip_install tools/notebooks/requirements.txt || die "pip could not install tools/notebooks/requirements.txt; see above."
  stamp packages "$value"
}

# install_plugin installs XLA's CPU plugin: from a wheel, or else with go-xla's installer.
install_plugin() {
  stamp cgo "$cgo"
  want=${GAZE_PLUGIN:-wheel installer}
  value="$(uname -s) $(uname -m) cgo=$cgo $want $(fingerprint tools/plugins/xla-cpu*.txt)"
  done_already plugin "$value" && return
  got=none
  if [ "$cgo" = 1 ]; then
    for source in $want; do
      case $source in
        wheel) plugin_from_wheel && got=wheel && break ;;
        installer) plugin_from_installer && got=installer && break ;;
        *) break ;;
      esac
    done
    if [ "$got" = none ]; then
      say "no XLA plugin: GoMLX's Go backend will be used, several times slower. 'make plugin' tries again."
    fi
  fi
  stamp plugin "$value"
}

# plugin_from_wheel installs the first Python wheel that exists for this machine.
plugin_from_wheel() {
  case "$(uname -s) $(uname -m)" in
    "Linux x86_64") lists="xla-cpu xla-cpu-second xla-cpu-third" ;;
    "Linux aarch64") lists="xla-cpu-third" ;;
    *) return 1 ;; # no wheels for other systems
  esac
  for list in $lists; do
    say "installing XLA's CPU plugin ($(sed -n 's/^\([a-z0-9-]*==[^ ]*\).*/\1/p' "tools/plugins/$list.txt"))"
    if pip_install "tools/plugins/$list.txt"; then
      return 0
    fi
    say "that wheel isn't available here"
  done
  return 1
}

# plugin_from_installer downloads go-xla's own build, the only source on macOS.
plugin_from_installer() {
  say "installing XLA's CPU plugin with go-xla's installer"
  tools/with-env.sh go run ./internal/pjrtinstall .venv/lib/go-xla && return 0
  say "go-xla's installer failed; see above"
  return 1
}

install_go_tools() {
  value="$(go env GOVERSION) $(fingerprint tools/go.mod tools/go.sum)"
  if ! done_already gotools "$value" || ! [ -x bin/gonb ]; then
    say "building GoNB and goimports (tools/go.mod)"
    GOBIN="$GAZE_ROOT/bin" tools/with-env.sh go -C tools install \
      github.com/janpfeifer/gonb golang.org/x/tools/cmd/goimports
    stamp gotools "$value"
  fi
}

# fetch_modules downloads the modules that cells may import, because cells are compiled
# without the network.
fetch_modules() {
  value=$(fingerprint go.mod go.sum)
  done_already modules "$value" && return
  say "downloading the Go modules (go.mod)"
  tools/with-env.sh go mod download
  stamp modules "$value"
}

write_kernelspec() {
  dir=.venv/share/jupyter/kernels/gaze
  value="$GAZE_ROOT with env"
  done_already kernelspec "$value" && [ -r "$dir/kernel.json" ] && return
  mkdir -p "$dir"
  .venv/bin/python - "$GAZE_ROOT" "$dir/kernel.json" <<'PYTHON'
import json, sys
root, path = sys.argv[1:]
spec = {
    "argv": [root + "/tools/kernel.sh", "{connection_file}"],
    "display_name": "Go (Gaze)",
    "language": "go",
    "interrupt_mode": "message",
    # Jupyter replaces this by the folder in which it was started.
    "env": {"GAZE_JUPYTER_FOLDER": "${PWD}"},
}
with open(path, "w") as f:
    json.dump(spec, f, indent=1)
PYTHON
  # Otherwise JupyterLab asks whether it may fetch news.
  mkdir -p .venv/jupyter .venv/etc/jupyter/labconfig
  printf '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}\n' \
    >.venv/etc/jupyter/labconfig/page_config.json
  stamp kernelspec "$value"
}

# write_settings makes JupyterLab and nbconvert use the clone's way of exporting pages.
write_settings() {
  mkdir -p .venv/etc/jupyter
  file=.venv/etc/jupyter/jupyter_config.py
  value="load_subconfig('$GAZE_ROOT/tools/notebooks/export/jupyter_config.py')"
  [ -r "$file" ] && [ "$(cat "$file")" = "$value" ] && return
  printf '%s\n' "$value" >"$file"
}

# set_git_filter makes git see the notebooks without their outputs (.gitattributes). The
# setting is in this clone only. A checkout without the filter's program shows files as they are.
set_git_filter() {
  [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$GAZE_ROOT" ] || return 0
  program=tools/notebooks/gitclean.py
  # Git's shell expands the variable.
  # shellcheck disable=SC2016
  value='p=.venv/bin/python; [ -x $p ] || p=python3; if [ -r '$program' ] && command -v $p >/dev/null; then exec $p -S '$program'; else exec cat; fi'
  [ "$(git config --local --get filter.gaze-notebook.clean 2>/dev/null)" = "$value" ] && return
  git config --local filter.gaze-notebook.clean "$value" 2>/dev/null ||
    say "git's settings can't be written: git will see the outputs of notebooks."
}

build_gaze() {
  [ -n "$skip_build" ] && return
  say "building bin/gaze and bin/gaze-kernel"
  # Without its table of symbols and debugging information, gaze is an eighth smaller.
  tools/with-env.sh go build -ldflags=-s -o bin/gaze ./cmd/gaze
  tools/with-env.sh go build -o bin/gaze-kernel ./cmd/gaze-kernel
  tools/with-env.sh go build -o bin/gaze-cell ./internal/cells/command
  try_internal_link
  note_xla
  tools/kernel.sh -prepare
  # Programs built elsewhere use the plugins of the clones recorded in Gaze's cache.
  bin/gaze devices --remember "$GAZE_ROOT" ||
    say "Gaze's cache can't be written: only programs in this clone will find its plugin."
}

# warm_gopls lets gopls type-check all modules, for up to half a minute. Afterwards it takes
# them from its cache whenever a kernel starts it.
warm_gopls() {
  [ -x bin/lab/gopls ] && [ -x bin/gaze-kernel ] || return 0
  value="$(cat "$stamps/lab" 2>/dev/null) $(fingerprint go.mod go.sum)"
  done_already gopls "$value" && return
  say "letting gopls read all modules, for completion in JupyterLab"
  if PATH="$GAZE_ROOT/bin/lab:$PATH" tools/kernel.sh -warm; then stamp gopls "$value"; fi
}

# note_xla records for tools/kernel.sh whether programs use XLA here.
note_xla() {
  rm -f "$stamps/xla"
  if (unset GOMLX_BACKEND GAZE_KERNELS GAZE_TILES GAZE_MEMORY GAZE_COMPILED && tools/with-env.sh bin/gaze devices --json) | tr -d ' \n' | grep -q '"spec":"xla:[^}]*"used":true'; then
    stamp xla yes
  fi
}

# try_internal_link records for tools/kernel.sh whether a program linked by Go's own linker,
# without the C compiler's, runs and finds its backends here.
try_internal_link() {
  rm -f "$stamps/link"
  [ "$(uname -s)" = Linux ] || return 0
  probe=$(mktemp -d)
  if tools/with-env.sh go build '-ldflags=-s -w -linkmode=internal' -o "$probe/gaze" ./cmd/gaze >/dev/null 2>&1 &&
    tools/with-env.sh "$probe/gaze" devices >/dev/null 2>&1; then
    stamp link "$(go env GOVERSION)"
  fi
  rm -rf "$probe"
}

# add_extra NAME installs tools that only some targets need.
add_extra() {
  case $1 in
    lab)
      value="$(go env GOVERSION) $(fingerprint tools/go.mod tools/go.sum)"
      done_already lab "$value" && [ -x bin/lab/gopls ] && return
      say "building gopls, for completion in JupyterLab"
      # In a separate folder, so that only JupyterLab's kernels start it.
      GOBIN="$GAZE_ROOT/bin/lab" tools/with-env.sh go -C tools install golang.org/x/tools/gopls
      stamp lab "$value"
      ;;
    lint)
      value="$(go env GOVERSION) $(fingerprint tools/go.mod tools/go.sum tools/lint/requirements.txt)"
      done_already lint "$value" && return
      say "installing the linters"
      GOBIN="$GAZE_ROOT/bin" tools/with-env.sh go -C tools install honnef.co/go/tools/cmd/staticcheck
      pip_install tools/lint/requirements.txt ||
        say "shellcheck and hadolint aren't available here: scripts and Dockerfile won't be checked"
      stamp lint "$value"
      ;;
    browser)
      value=$(fingerprint tools/browser/requirements.txt)
      done_already browser "$value" && return
      say "installing playwright (it needs an installed Chromium)"
      pip_install tools/browser/requirements.txt
      stamp browser "$value"
      ;;
    cuda12 | cuda13)
      value=$(fingerprint "tools/plugins/$1.txt")
      if ! done_already "$1" "$value"; then
        say "installing XLA's plugin for CUDA ${1#cuda} and NVIDIA's libraries (several GB)"
        pip_install "tools/plugins/$1.txt"
        # go-xla looks for NVIDIA's libraries beside the plugin's folder.
        site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
        ln -sfn ../nvidia "$site/jax_plugins/nvidia"
        stamp "$1" "$value"
      fi
      say "to use it, put GOMLX_BACKEND=xla:cuda in front of a command; 'gaze devices' shows the plugins found"
      ;;
    *) die "unknown argument '$1'; see the top of tools/setup.sh" ;;
  esac
}

check_settings
check_go
check_python
make_venv
find_c
for extra in "$@"; do
  if [ "$extra" = plugin ]; then rm -f "$stamps/plugin"; fi
done
install_python_packages
fetch_modules
install_plugin
install_go_tools
write_kernelspec
write_settings
set_git_filter
for extra in "$@"; do
  if [ "$extra" != plugin ]; then add_extra "$extra"; fi
done
build_gaze
warm_gopls
