// Package environ reads the environment variables that begin with GAZE_. Variables
// lists them all; docs/environment.md is made from that list. A value that makes no
// sense is an error that names the variable, never a silent default.
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

// Start is the variable with the folder that relative paths in the other variables are
// relative to. make, `gaze report` and the notebooks' kernel set it, since they run
// programs in other folders than the one the user typed the command in.
const Start = "GAZE_START"

// Root is the variable with the folder of the clone that a program or a cell belongs to.
const Root = "GAZE_ROOT"

// StartFolder is the folder that the user started in: what [Start] holds, otherwise the
// working folder.
func StartFolder() (string, error) {
	if start := Get(Start); start != "" {
		return start, nil
	}
	return os.Getwd()
}

// Get is a variable's value without spaces around it, "" if it isn't set.
func Get(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// Wrong is the error for a value that makes no sense; want says what would.
func Wrong(name, value, want string) error {
	return fmt.Errorf("%s is %q: %s", name, value, want)
}

// Switch reads a variable that is on or off; one that isn't set is as unset says.
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

// Path is the path that a variable holds, absolute, "" if it isn't set. A relative one
// is looked up in the folder that [Start] names, in the clone that [Root] names, and in
// the working folder; if it is in none, it belongs in the first. A leading ~/ is the home folder. Nothing is said of
// what is there: see [Folder] and [File].
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

// Existing is the path that a variable holds if something is there, and "" if it isn't
// set. The error for one that isn't there says where it was looked for.
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

// Folder is [Existing] for a folder that can be listed.
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

// FolderToMake is the path that a variable holds if a folder is there or can be made
// there, and "" if it isn't set.
func FolderToMake(name string) (string, error) {
	path, err := Path(name)
	if path == "" || err != nil {
		return "", err
	}
	switch info, err := os.Stat(path); {
	case err == nil && !info.IsDir():
		return "", Wrong(name, Get(name), "that is a file: name a folder")
	case isNotDir(err):
		return "", Wrong(name, Get(name), "it goes through a file: name a folder")
	}
	return path, nil
}

// FileOrName is the value of a variable that holds a path or the name of something
// known: the absolute path if something is there, otherwise the value as it is. tried
// lists where no file was found.
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

// Endpoint is the address of a server that a variable holds, without a slash at its end,
// or fallback if it isn't set.
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

// candidates are the absolute paths that a value may stand for, the likeliest first.
func candidates(name, value string) ([]string, error) {
	if rest, ok := strings.CutPrefix(value, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, Wrong(name, value, "the home folder isn't known: name it in full")
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

// notThere is the error for a path that doesn't lead anywhere.
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

// reason is an error of the system's without the path, which the message has already.
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
