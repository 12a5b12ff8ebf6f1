package cells

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
