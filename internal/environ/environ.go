// Package environ reads the environment variables that begin with GAZE_: switches,
// paths and addresses. It knows the name and meaning of every such variable ([Groups],
// from which docs/environment.md is generated), and turns an invalid value into an error
// that names the variable. It doesn't know what the paths and addresses are used for.
package environ

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Start names the variable with the folder that relative paths in the other variables
// start from. make, `gaze report` and the notebooks' kernel set it, because they run
// programs in a different folder from the one in which the user typed the command.
const Start = "GAZE_START"

// Root names the variable with the folder of the clone whose code a program or cell runs.
const Root = "GAZE_ROOT"

// StartFolder returns the folder that the user started in: the value of [Start], or else
// the working folder.
func StartFolder() (string, error) {
	if start := Get(Start); start != "" {
		return start, nil
	}
	return os.Getwd()
}

// Get returns a variable's value without surrounding spaces, "" if it isn't set.
func Get(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// Wrong returns the error for an invalid value; want says what a valid value is.
func Wrong(name, value, want string) error {
	return fmt.Errorf("%s is %q: %s", name, value, want)
}

// Switch reads a variable that is on or off. If it isn't set, the result is unset.
func Switch(name string, unset bool) (on bool, err error) {
	value := Get(name)
	switch strings.ToLower(value) {
	case "":
		return unset, nil
	case "on", "1", "yes", "true":
		return true, nil
	case "off", "0", "no", "false":
		return false, nil
	}
	return unset, Wrong(name, value, "it must be on or off")
}

// Path returns a variable's path as an absolute path, "" if it isn't set. A relative path
// is looked up in the folder that [Start] names, in the clone that [Root] names, and in
// the working folder; if it exists in none, the first is used. A leading ~/ is the home
// folder. Path doesn't check that the path exists: see [Existing] and [Folder].
func Path(name string) (string, error) { return PathOf(name, Get(name)) }

// PathOf is [Path] with the variable's value given.
func PathOf(name, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	places, err := candidates(name, value)
	if err != nil {
		return "", err
	}
	for _, path := range places {
		if _, err := os.Lstat(path); err == nil {
			return path, nil
		}
	}
	return places[0], nil
}

// Existing returns a variable's path if a file or folder exists there, and "" if the
// variable isn't set. If nothing exists, the error lists the paths that were tried.
func Existing(name string) (string, error) {
	path, err := Path(name)
	if path == "" || err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", notThere(name, err)
	}
	return path, nil
}

// Folder is like [Existing], but the path must be a folder that can be opened.
func Folder(name string) (string, error) {
	path, err := Existing(name)
	if path == "" || err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", Wrong(name, Get(name), reason(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.IsDir() {
		return "", Wrong(name, Get(name), "that is a file: name a folder")
	}
	return path, nil
}

// FolderToMake returns a variable's path if it is a folder or could become one, and "" if
// the variable isn't set.
func FolderToMake(name string) (string, error) {
	path, err := Path(name)
	if path == "" || err != nil {
		return "", err
	}
	switch info, err := os.Stat(path); {
	case err == nil && !info.IsDir():
		return "", Wrong(name, Get(name), "that is a file: name a folder")
	case isNotDir(err):
		return "", Wrong(name, Get(name), "part of the path is a file: name a folder")
	}
	return path, nil
}

// FileOrName reads a variable that holds either a path or a known name, such as a
// model's. It returns the absolute path if that exists, otherwise the value unchanged and
// the paths that were tried.
func FileOrName(name string) (value string, tried []string, err error) {
	value = Get(name)
	if value == "" {
		return "", nil, nil
	}
	places, err := candidates(name, value)
	if err != nil {
		return "", nil, err
	}
	for _, path := range places {
		switch _, err := os.Stat(path); {
		case err == nil:
			return path, nil, nil
		case !errors.Is(err, os.ErrNotExist) && !isNotDir(err):
			return "", nil, Wrong(name, value, reason(err))
		}
	}
	return value, places, nil
}

// Endpoint returns a variable's server address without a trailing slash, or fallback if
// the variable isn't set.
func Endpoint(name, fallback string) (string, error) {
	value := Get(name)
	if value == "" {
		return fallback, nil
	}
	if at, err := url.Parse(value); err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Hostname() == "" {
		return "", Wrong(name, withoutLogin(value), "it must be an address, http://… or https://…")
	}
	return strings.TrimRight(value, "/"), nil
}

// candidates returns the absolute paths that a value may mean, in the order to try them.
func candidates(name, value string) ([]string, error) {
	if rest, ok := strings.CutPrefix(value, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, Wrong(name, value, "the home folder isn't known: write the path in full")
		}
		return []string{filepath.Join(home, rest)}, nil
	}
	if filepath.IsAbs(value) {
		return []string{filepath.Clean(value)}, nil
	}
	var places []string
	if start := Get(Start); start != "" {
		if !filepath.IsAbs(start) {
			return nil, Wrong(Start, start, "it must be an absolute path")
		}
		places = append(places, filepath.Join(start, value))
		if root := Get(Root); filepath.IsAbs(root) && root != start {
			places = append(places, filepath.Join(root, value))
		}
	}
	here, err := filepath.Abs(value)
	if err != nil {
		return nil, fmt.Errorf("%s is %q, and the working folder isn't known: %w", name, value, err)
	}
	if !slices.Contains(places, here) {
		places = append(places, here)
	}
	return places, nil
}

// notThere returns the error for a path that doesn't exist or can't be read.
func notThere(name string, err error) error {
	value := Get(name)
	if !errors.Is(err, os.ErrNotExist) && !isNotDir(err) {
		return Wrong(name, value, reason(err))
	}
	places, wrong := candidates(name, value)
	if wrong != nil {
		return wrong
	}
	if len(places) == 1 && places[0] == value {
		return Wrong(name, value, "there is no such file or folder")
	}
	return Wrong(name, value, "there is neither a file nor a folder "+strings.Join(places, " or "))
}

// reason returns a system error's text without the path, which the message already has.
func reason(err error) string {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

// withoutLogin hides a password in an address.
func withoutLogin(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return "…" + address[at:]
	}
	return address
}
