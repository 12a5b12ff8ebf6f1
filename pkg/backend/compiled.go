package backend

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"gaze/internal/cachedir"
	"gaze/internal/environ"
	"gaze/internal/xla/execcache"
)

// compiledEnv switches the cache of compiled programs off, or sets its size or its folder.
const compiledEnv = "GAZE_COMPILED"

// compiledLimit is the size of the cache of compiled programs by default.
const compiledLimit = 1 << 30

// Compiled describes the cache of programs compiled by XLA, from which other processes load them
// instead of compiling them again.
type Compiled struct {
	// Dir is the folder. It may not exist yet.
	Dir string `json:"dir,omitempty"`
	// Programs is the number of programs in it.
	Programs int `json:"programs"`
	// Bytes is their total size.
	Bytes int64 `json:"bytes"`
	// Limit is the largest total size; the least recently used programs are removed.
	Limit int64 `json:"limit"`
	// Off says why nothing is cached; empty if programs are.
	Off string `json:"off,omitempty"`

	// Loaded is the number of programs that this process loaded instead of compiling them,
	// Built of those that it compiled, Stored of those among them that it stored.
	Loaded int64 `json:"loaded"`
	Built  int64 `json:"built"`
	Stored int64 `json:"stored"`
}

// String describes the cache in one line.
func (c Compiled) String() string {
	if c.Off != "" {
		return "not kept: " + c.Off
	}
	return fmt.Sprintf("kept in %s: %d programs, %.1f MB of at most %.0f ($%s=off or =512M changes that)",
		c.Dir, c.Programs, float64(c.Bytes)/1e6, float64(c.Limit)/1e6, compiledEnv)
}

// compiled is the process's cache of compiled programs, for all plugins.
type compiled struct {
	settle sync.Once
	store  *execcache.Store // nil if nothing is cached
	off    string           // why nothing is cached

	mu      sync.Mutex
	wrapped map[string]counter // by plugin
}

// counter counts the programs of a wrapped plugin, and creates its clients.
type counter interface {
	Counts() (loaded, compiled, stored int64)
	// SetDevices sets the number of devices of CPU clients that are created from now on.
	SetDevices(n int)
}

var programs compiled

// KeptPrograms describes the cache of compiled programs.
func KeptPrograms() Compiled {
	store, off := programs.settled()
	about := Compiled{Off: off}
	if store != nil {
		about.Dir, about.Limit = store.Dir, store.Limit
		about.Programs, about.Bytes = store.Usage()
	}
	programs.mu.Lock()
	defer programs.mu.Unlock()
	for _, c := range programs.wrapped {
		if c == nil {
			continue
		}
		loaded, built, stored := c.Counts()
		about.Loaded += loaded
		about.Built += built
		about.Stored += stored
	}
	return about
}

// settled reads the environment at its first call.
func (p *compiled) settled() (*execcache.Store, string) {
	p.settle.Do(func() {
		if p.off = withoutCompiled; p.off == "" {
			p.store, p.off = openStore(environ.Get(compiledEnv))
		}
	})
	return p.store, p.off
}

// openStore returns the store for a value of $GAZE_COMPILED, or why there is none.
func openStore(value string) (*execcache.Store, string) {
	limit, err := parseLimit(value)
	switch {
	case err != nil:
		return nil, fmt.Sprintf("$%s: %v", compiledEnv, err)
	case limit == 0:
		return nil, fmt.Sprintf("$%s is %q", compiledEnv, value)
	}
	if filepath.IsAbs(value) {
		return &execcache.Store{Dir: value, Limit: limit}, ""
	}
	dir, err := cachedir.Dir()
	if err != nil {
		return nil, err.Error()
	}
	return &execcache.Store{Dir: filepath.Join(dir, "compiled"), Limit: limit}, ""
}

// parseLimit reads "off", "on", or a number of bytes such as 268435456, 256M or 2G. A
// folder's absolute path has the default limit.
func parseLimit(value string) (int64, error) {
	if filepath.IsAbs(value) {
		return compiledLimit, nil
	}
	text := strings.ToUpper(strings.TrimSpace(value))
	switch text {
	case "", "ON", "YES", "TRUE", "1":
		return compiledLimit, nil
	case "OFF", "NO", "FALSE":
		return 0, nil
	}
	unit := int64(1)
	for suffix, u := range map[string]int64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = number, u
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is neither off nor a size such as 512M nor a folder's absolute path", value)
	}
	return n * unit, nil
}

// keep wraps the plugin whose path a specification of go-xla names. Errors are left to go-xla,
// which finds them again and reports them.
func (p *compiled) keep(config string) {
	path, _, _ := strings.Cut(config, ",")
	if !filepath.IsAbs(path) {
		return
	}
	store, _ := p.settled()
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, done := p.wrapped[path]; done {
		return
	}
	if p.wrapped == nil {
		p.wrapped = map[string]counter{}
	}
	p.wrapped[path] = wrapPlugin(path, store)
}

// setDevices sets the number of devices that the plugin's next client gets, until reset is
// called. A plugin that couldn't be wrapped decides itself.
func (p *compiled) setDevices(config string, n int) (reset func()) {
	path, _, _ := strings.Cut(config, ",")
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.wrapped[path]
	if c == nil {
		return func() {}
	}
	c.SetDevices(n)
	return func() { c.SetDevices(1) }
}
