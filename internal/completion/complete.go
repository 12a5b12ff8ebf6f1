package completion

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// candidate is a possible completion.
type candidate struct {
	text, kind, signature string
}

// Complete completes what is before the cursor, which counts Unicode characters. It answers
// within Options.Wait with what is known by then. The second result is true unless the cell
// can't be completed here at all, and something else should be asked.
func (c *Completer) Complete(code string, cursor int) (Completions, bool) {
	ctx, cancel := context.WithTimeout(c.ctx, c.options.Wait)
	defer cancel()
	offset := byteOffset(code, cursor)
	start, end := wordAround(code, offset)
	q := c.query(code, offset)
	if q.cell.script && lineOf(q.cell.lines, offset) > 0 {
		return answer(code, offset, offset, offset, nil), true // a script, or a file's text
	}
	if q.cell.script || q.cell.toFile(offset) < 0 {
		start, found := c.commands(code, offset)
		return answer(code, start, offset, offset, found), true
	}
	if begin, ok := inImport(q.cell, offset); ok {
		return answer(code, begin, offset, offset, c.importPaths(code[begin:offset])), true
	}
	found := c.candidates(ctx, q, start)
	return answer(code, start, offset, end, found), true
}

// candidates are those of gopls, of the cache, or of the clone's sources.
func (c *Completer) candidates(ctx context.Context, q query, start int) []candidate {
	prefix := q.cell.code[start:q.offset]
	key := cacheKey{q.age, q.cell.code[:start], q.cell.code[q.offset:]}
	if cached, ok := c.fromCache(key, prefix); ok {
		if cached.prefix != prefix {
			c.later(q, key, prefix)
		}
		return c.withNames(q, start, matching(cached.found, prefix))
	}
	late := c.later(q, key, prefix)
	if c.loading() {
		if found := matching(c.fromSource(q, start), prefix); len(found) > 0 {
			return found
		}
	}
	select {
	case found := <-late:
		if found != nil {
			return c.withNames(q, start, matching(found, prefix))
		}
	case <-ctx.Done():
	}
	return matching(c.fromSource(q, start), prefix)
}

// lateTimeout is how long an answer is of use to somebody.
const lateTimeout = 20 * time.Second

// later asks gopls in the background and puts the answer into the cache. The channel gets the
// answer, nil if there is none.
func (c *Completer) later(q query, key cacheKey, prefix string) <-chan []candidate {
	done := make(chan []candidate, 1)
	started := c.background(func() {
		ctx, cancel := context.WithTimeout(c.ctx, lateTimeout)
		defer cancel()
		g := c.current(ctx)
		if g == nil {
			done <- nil
			return
		}
		found, err := c.askItems(ctx, g, q)
		if err != nil {
			done <- nil
			return
		}
		c.mu.Lock()
		c.cache.put(key, cached{prefix, found})
		c.mu.Unlock()
		done <- found
	})
	if !started {
		done <- nil
	}
	return done
}

// askItems are gopls' candidates. Never nil without an error.
func (c *Completer) askItems(ctx context.Context, g *gopls, q query) ([]candidate, error) {
	p, ok := q.position(q.offset)
	if !ok {
		return []candidate{}, nil
	}
	start, _ := wordAround(q.cell.code, q.offset)
	begin, _ := q.position(start)
	var list *lspCompletionList
	if err := c.ask(ctx, g, q, "textDocument/completion", p, &list); err != nil {
		return nil, err
	}
	found := []candidate{}
	if list == nil {
		return found, nil
	}
	for _, item := range list.Items {
		// Texts that replace something other than the name at the cursor have no place in
		// Jupyter's answer, and main is ours.
		if item.Edit == nil || item.Edit.Range.Start != begin || item.Edit.NewText == "main" || !isName(item.Edit.NewText) {
			continue
		}
		found = append(found, candidate{item.Edit.NewText, jupyterType(item.Kind), signatureOf(item)})
	}
	return found, nil
}

// signatureOf is a function's parameters and results, or the type of something else.
func signatureOf(item lspItem) string {
	return strings.TrimPrefix(item.Detail, "func")
}

// withNames adds the packages that can be used without an import and, where only a declaration
// can be, the keywords that begin one.
func (c *Completer) withNames(q query, start int, found []candidate) []candidate {
	if afterDot(q.cell.code, start) || q.offset == start && len(found) > 0 {
		return found
	}
	prefix := q.cell.code[start:q.offset]
	has := func(text string) bool {
		return slices.ContainsFunc(found, func(f candidate) bool { return f.text == text })
	}
	for _, name := range c.known.names() {
		if hasPrefixFold(name, prefix) && !has(name) {
			found = append(found, candidate{name, "module", `"` + c.known[name] + `"`})
		}
	}
	var words []candidate
	for _, word := range []string{"func", "import"} {
		if strings.HasPrefix(word, prefix) && !has(word) && atLineStart(q.cell.code, start) {
			words = append(words, candidate{word, "keyword", ""})
		}
	}
	return append(words, found...)
}

// matching are the candidates that begin with a prefix, in whatever case; those that have its
// letters in this order if none begins with it. Each text is there once.
func matching(all []candidate, prefix string) []candidate {
	for _, match := range []func(text, prefix string) bool{hasPrefixFold, hasLetters} {
		var found []candidate
		seen := map[string]bool{}
		for _, a := range all {
			if !seen[a.text] && match(a.text, prefix) {
				seen[a.text] = true
				found = append(found, a)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// hasPrefixFold says whether a text begins with a prefix, in whatever case.
func hasPrefixFold(text, prefix string) bool {
	for _, p := range prefix {
		r, size := utf8.DecodeRuneInString(text)
		if size == 0 || unicode.ToLower(r) != unicode.ToLower(p) {
			return false
		}
		text = text[size:]
	}
	return true
}

// hasLetters says whether a text has the letters of another in their order, in whatever case.
func hasLetters(text, letters string) bool {
	rest := []rune(strings.ToLower(letters))
	for _, r := range strings.ToLower(text) {
		if len(rest) > 0 && rest[0] == r {
			rest = rest[1:]
		}
	}
	return len(rest) == 0
}

// wordAround is the range of the name that an offset is in or at the end of.
func wordAround(text string, offset int) (start, end int) {
	start, end = offset, offset
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:start])
		if !isNameRune(r) {
			break
		}
		start -= size
	}
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		if !isNameRune(r) {
			break
		}
		end += size
	}
	return start, end
}

// isName says whether a text is a Go name.
func isName(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool { return !isNameRune(r) }) < 0
}

// isNameRune says whether a character may be part of a Go name.
func isNameRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) && r != utf8.RuneError || unicode.IsDigit(r)
}

// afterDot says whether a name is a selector.
func afterDot(code string, start int) bool {
	return strings.HasSuffix(strings.TrimRight(code[:start], " \t\n"), ".")
}

// atLineStart says whether nothing precedes an offset on its line.
func atLineStart(code string, start int) bool {
	return start == 0 || code[start-1] == '\n'
}

// answer is the answer to Jupyter: candidates for the text from start to the cursor. A name
// that goes on after the cursor is replaced as a whole if a candidate has the same ending.
func answer(code string, start, cursor, end int, found []candidate) Completions {
	suffix := code[cursor:end]
	if suffix == "" || !slices.ContainsFunc(found, func(f candidate) bool { return strings.HasSuffix(f.text, suffix) }) {
		end = cursor
	}
	r := Completions{Matches: []string{}, Start: characters(code, start), End: characters(code, end)}
	items := []Item{}
	for _, f := range found {
		r.Matches = append(r.Matches, f.text)
		items = append(items, Item{Text: f.text, Start: r.Start, End: r.End, Type: f.kind, Signature: f.signature})
	}
	r.Metadata = map[string]any{"_jupyter_types_experimental": items}
	return r
}
