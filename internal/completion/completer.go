// Package completion completes the Go code of a notebook's cells, and says what is at the
// cursor: documentation of a name, and the signature of the call that is being written.
//
// It keeps one gopls for a kernel, in a folder of its own, and gives it two documents that
// exist in memory only: the cell that is being edited, and what the cells that ran have
// declared. gopls is started and warmed in the background, so that the first Tab is answered,
// too. What gopls doesn't answer in time is answered from the clone's own sources, and the
// late answer is kept for the next press of the key.
package completion

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"sync"
	"time"
)

// Completions are the content of Jupyter's complete_reply.
type Completions struct {
	// Matches are whole names, the best first, each of which can replace the range. None is
	// empty and none is there twice.
	Matches []string
	// Start and End are the range in the cell, in Unicode characters.
	Start, End int
	// Metadata has the key _jupyter_types_experimental, by which front ends show an icon and
	// a type beside each match: a []Item.
	Metadata map[string]any
}

// Item is what the metadata says of a match.
type Item struct {
	Text      string `json:"text"`
	Start     int    `json:"start"`
	End       int    `json:"end"`
	Type      string `json:"type"`      // function, class, instance, property, constant, module, keyword, magic
	Signature string `json:"signature"` // "(layer int, heads explain.Heads) (plots.Figure, error)", or a variable's type
}

// Inspection is the content of Jupyter's inspect_reply.
type Inspection struct {
	Found bool
	Data  map[string]any // text/markdown and text/plain
}

// Options are the settings of a Completer.
type Options struct {
	// Root is the clone whose packages cells import.
	Root string
	// Dir is where the Completer makes its folder, by default the system's folder for
	// temporary files.
	Dir string
	// Gopls is the program, by default the gopls on the PATH. Without one, packages,
	// keywords and declared names are completed only.
	Gopls string
	// Go is the go command that gopls and the Completer run, by default the PATH's.
	Go string
	// Wait is the longest time that Complete takes, by default 0.28 s. Inspect takes four times
	// as long at most.
	Wait time.Duration
}

// Completer completes and inspects the cells of one kernel. Its methods can be called at any
// time from any goroutine.
type Completer struct {
	options Options
	known   known

	mu       sync.Mutex
	declared declarations
	sticky   map[string]bool // paths that were ever imported, and exist
	age      int             // counts changes of what is declared
	cache    cache
	server   *gopls // nil until it has answered once, and after it ended
	failed   error  // why gopls ended last
	closed   bool

	importable importable

	asking  sync.Mutex    // a document is set and asked about in one go
	refresh chan struct{} // asks for the documents to be sent and warmed
	ready   chan struct{} // closed when gopls first answers
	gaveUp  chan struct{} // closed when gopls isn't started again
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// New starts gopls in the background and returns at once. Close must be called in the end.
func New(options Options) *Completer {
	if options.Gopls == "" {
		options.Gopls, _ = exec.LookPath("gopls")
	}
	if options.Go == "" {
		options.Go = "go"
	}
	if options.Wait == 0 {
		options.Wait = 280 * time.Millisecond
	}
	c := &Completer{
		options: options,
		known:   findPackages(options.Root),
		sticky:  map[string]bool{},
		refresh: make(chan struct{}, 1),
		ready:   make(chan struct{}),
		gaveUp:  make(chan struct{}),
	}
	c.importable.root, c.importable.command = options.Root, options.Go
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.running.Go(c.importable.load)
	if options.Gopls != "" {
		c.running.Go(c.keepRunning)
	}
	return c
}

// Close ends gopls and deletes the folder.
func (c *Completer) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.running.Wait()
}

// Ready waits until gopls has answered for the first time. It returns an error if ctx ends
// before, if there is no gopls, or if it can't be used.
func (c *Completer) Ready(ctx context.Context) error {
	if c.options.Gopls == "" {
		return fmt.Errorf("gopls isn't on the PATH: 'make lab' installs it")
	}
	select {
	case <-c.ready:
		return nil
	case <-c.gaveUp:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Observe takes over what a cell has declared. ok says whether GoNB kept it, which it does if
// the cell compiled.
func (c *Completer) Observe(code string, ok bool) {
	c.mu.Lock()
	changed := c.declared.command(code)
	if cell := compose("package main\n", code, len(code)); ok && !cell.script {
		c.declared.observe(cell)
		changed = true
	}
	if changed {
		c.age++
	}
	c.mu.Unlock()
	c.rewarm()
}

// Forget drops all that cells have declared, after GoNB was started again.
func (c *Completer) Forget() {
	c.mu.Lock()
	c.declared = declarations{}
	c.age++
	c.mu.Unlock()
	c.rewarm()
}

// rewarm lets gopls work through changed documents before somebody waits for it.
func (c *Completer) rewarm() {
	select {
	case c.refresh <- struct{}{}:
	default: // it is going to happen anyway
	}
}

// keepRunning starts gopls, and again if it ends, but not more than a few times: a program
// that always ends would keep the machine busy.
func (c *Completer) keepRunning() {
	defer close(c.gaveUp)
	for range 5 {
		err := c.runOnce()
		c.mu.Lock()
		c.failed = err
		c.mu.Unlock()
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
			return // there is no such program, or no such clone
		}
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// runOnce runs gopls until it ends or the Completer is closed. The error says why.
func (c *Completer) runOnce() error {
	ws, err := newWorkspace(c.options.Root, c.options.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = ws.remove() }()
	g, err := startGopls(c.options.Gopls, c.options.Go, ws)
	if err != nil {
		return err
	}
	defer g.stop()
	ctx, cancel := context.WithTimeout(c.ctx, startTimeout)
	defer cancel()
	if err := g.initialize(ctx); err != nil {
		return fmt.Errorf("gopls doesn't start: %w", err)
	}
	if err := c.warm(g); err != nil {
		return fmt.Errorf("gopls can't load the packages: %w", err)
	}
	c.serve(g)
	return errClosed
}

// serve keeps gopls warm until it ends or the Completer is closed.
func (c *Completer) serve(g *gopls) {
	c.mu.Lock()
	c.server = g
	c.mu.Unlock()
	select {
	case <-c.ready:
	default:
		close(c.ready)
	}
	defer func() {
		c.mu.Lock()
		c.server = nil
		c.mu.Unlock()
	}()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-g.done():
			return
		case <-c.refresh:
			if events := g.ws.changes(); len(events) > 0 {
				_ = g.changed(events)
				c.mu.Lock()
				c.age++
				c.mu.Unlock()
			}
			_ = c.warm(g)
		}
	}
}

// warm completes once in an empty cell, after which gopls has type-checked all that cells
// import.
func (c *Completer) warm(g *gopls) error {
	const code = "%%\nnotebook."
	q := c.query(code, len(code))
	ctx, cancel := context.WithTimeout(c.ctx, startTimeout)
	defer cancel()
	_, err := c.askItems(ctx, g, q)
	return err
}

// background runs a function that Close waits for. It says whether it does, which it doesn't
// after Close.
func (c *Completer) background(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.running.Go(f)
	}
	return !c.closed
}

// query is a cell with a cursor, ready to be asked about.
type query struct {
	cell     cell
	offset   int    // of the cursor in the cell
	declared string // the document with what other cells have declared
	age      int
}

// query composes the documents for a cell.
func (c *Completer) query(code string, offset int) query {
	c.mu.Lock()
	defer c.mu.Unlock()
	bare := compose("package main\n", code, offset)
	q := query{cell: bare, offset: offset, age: c.age}
	if bare.script {
		return q
	}
	fset, file, _ := bare.parse()
	imports, own := map[string]imported{}, map[string]bool{}
	if file != nil {
		imports, own = importsOf(file), namesOf(unitsOf(fset, file, bare.file))
	}
	header := map[string]imported{}
	for key, i := range c.declared.imports {
		if _, ok := imports[key]; !ok {
			header[key] = i
		}
	}
	all := maps.Clone(imports)
	maps.Copy(all, header)
	for _, i := range c.known.used(code, all) {
		if name := i.key(); !own[name] && !c.declared.has(name) {
			header[name] = i
		}
	}
	for _, i := range all {
		if !c.sticky[i.path] && c.importable.has(i.path) {
			c.sticky[i.path] = true
		}
	}
	q.cell = compose(c.known.header(c.sticky, header), code, offset)
	q.declared = c.declared.file(own, c.known)
	return q
}

// ask sends the documents of a query and then a request, and waits for the answer.
func (c *Completer) ask(ctx context.Context, g *gopls, q query, method string, p lspPosition, result any) error {
	c.asking.Lock()
	err := g.set(declaredFile, q.declared)
	if err == nil {
		err = g.set(cellFile, q.cell.file)
	}
	var s sent
	if err == nil {
		s, err = g.send(method, g.at(p))
	}
	c.asking.Unlock()
	if err != nil {
		return err
	}
	return g.wait(ctx, method, s, result)
}

// position is the LSP position of an offset in the query's cell.
func (q query) position(offset int) (lspPosition, bool) {
	at := q.cell.toFile(offset)
	if at < 0 {
		return lspPosition{}, false
	}
	return positionOf(q.cell.file, at), true
}

// loading says whether gopls hasn't answered yet.
func (c *Completer) loading() bool {
	select {
	case <-c.ready:
		return false
	default:
		return true
	}
}

// current is the running gopls. If it is still loading, current waits for it until ctx ends.
func (c *Completer) current(ctx context.Context) *gopls {
	if c.options.Gopls == "" {
		return nil
	}
	select {
	case <-c.ready:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}
