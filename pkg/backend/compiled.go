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

// compiledEnv turns the cache of compiled programs off, or says how large it may be.
const compiledEnv = "GAZE_COMPILED"

// compiledLimit is how large the cache of compiled programs may be unless told otherwise.
const compiledLimit = 1 << 30

// Compiled says where programs compiled by XLA are kept, so that other processes
// load them instead of compiling them again.
type Compiled struct {
	// Dir is the folder; it may not exist yet.
	Dir string `json:"dir,omitempty"`
	// Programs is how many it holds.
	Programs int `json:"programs"`
	// Bytes is how large they are together.
	Bytes int64 `json:"bytes"`
	// Limit is how large they may become: the least recently used are removed.
	Limit int64 `json:"limit"`
	// Off says why nothing is kept; empty when programs are.
	Off string `json:"off,omitempty"`

	// Loaded counts the programs that this process loaded instead of compiling them,
	// Built those that it compiled, Stored those of them that it put into the folder.
	Loaded int64 `json:"loaded"`
	Built  int64 `json:"built"`
	Stored int64 `json:"stored"`
}

// String is one line for people.
func (c Compiled) String() string {
	if c.Off != "" {
		return "not kept: " + c.Off
	}
	return fmt.Sprintf("kept in %s: %d programs, %.1f MB of at most %.0f ($%s=off or =512M changes that)",
		c.Dir, c.Programs, float64(c.Bytes)/1e6, float64(c.Limit)/1e6, compiledEnv)
}

// compiled is this process's cache of compiled programs, for all its plugins.
type compiled struct {
	settle sync.Once
	store  *execcache.Store // nil when nothing is kept
	off    string           // why

	mu      sync.Mutex
	wrapped map[string]counter // by plugin
}

// counter is what a wrapped plugin tells of itself.
type counter interface {
	Counts() (loaded, compiled, stored int64)
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

// settled reads the environment once.
func (p *compiled) settled() (*execcache.Store, string) {
	p.settle.Do(func() {
		if p.off = withoutCompiled; p.off == "" {
			p.store, p.off = openStore(environ.Get(compiledEnv))
		}
	})
	return p.store, p.off
}

// openStore is the folder that a value of $GAZE_COMPILED asks for.
func openStore(value string) (*execcache.Store, string) {
	limit, err := parseLimit(value)
	switch {
	case err != nil:
		return nil, fmt.Sprintf("$%s: %v", compiledEnv, err)
	case limit == 0:
		return nil, fmt.Sprintf("$%s is %q", compiledEnv, value)
	}
	dir, err := cachedir.Dir()
	if err != nil {
		return nil, err.Error()
	}
	return &execcache.Store{Dir: filepath.Join(dir, "compiled"), Limit: limit}, ""
}

// parseLimit reads "off", "on", or a number of bytes such as 268435456, 256M or 2G.
func parseLimit(value string) (int64, error) {
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
		return 0, fmt.Errorf("%q is neither off nor a size such as 512M", value)
	}
	return n * unit, nil
}

// keep puts the cache before the plugin that a specification of go-xla's names by
// its path. What goes wrong is left to go-xla to find and report.
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
