package cells

import "strings"

// Wanted are the packages that cells may import and be fast: all of the clone's, what the
// notebooks use of other modules, and the common ones of the standard library.
var Wanted = []string{
	"./pkg/...",
	"github.com/gomlx/gomlx/core/graph", "github.com/gomlx/gomlx/core/shapes", "github.com/gomlx/gomlx/core/tensors", "github.com/gomlx/gomlx/ml/model",
	"github.com/janpfeifer/gonb/gonbui", "github.com/janpfeifer/gonb/gonbui/dom", "github.com/janpfeifer/gonb/gonbui/widgets",
	"bufio", "bytes", "cmp", "container/heap", "container/list", "context", "embed", "encoding/base64", "encoding/binary", "encoding/csv", "encoding/gob", "encoding/hex", "encoding/json",
	"errors", "flag", "fmt", "hash/fnv", "html", "html/template", "image", "image/color", "image/draw", "image/gif", "image/jpeg", "image/png",
	"io", "io/fs", "iter", "log", "maps", "math", "math/big", "math/bits", "math/cmplx", "math/rand", "math/rand/v2", "net/http", "net/url", "os", "os/exec", "os/signal",
	"path", "path/filepath", "reflect", "regexp", "runtime", "runtime/debug", "slices", "sort", "strconv", "strings", "sync", "sync/atomic", "syscall",
	"text/tabwriter", "text/template", "time", "unicode", "unicode/utf8", "unsafe",
}

// unwanted are packages that stay out of the host although Wanted's patterns match them, with
// those below them. Cells that import them are built by the go command. Package batch brings
// Parquet along, whose assembly can't be linked into a host, and is for commands.
var unwanted = []string{"gaze/pkg/batch"}

// isUnwanted reports whether a package stays out of the host.
func isUnwanted(path string) bool {
	for _, u := range unwanted {
		if path == u || strings.HasPrefix(path, u+"/") {
			return true
		}
	}
	return false
}
