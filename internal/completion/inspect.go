package completion

import (
	"context"
	"fmt"
	"go/token"
	"regexp"
	"strings"
	"unicode/utf8"
)

// inspectPatience is how many times as long Inspect waits as Complete does. Nobody is stopped in
// writing meanwhile, and there is no half of an answer.
const inspectPatience = 4

// Inspect says what is at the cursor, which counts Unicode characters: the documentation of the
// name that it touches and, inside the round brackets of a call, the function's signature with
// the parameter that the cursor is at. Where there is neither, it is about the name before the
// cursor. While gopls loads, only what packages export is known. detail is Jupyter's
// detail_level; documentation is always whole, so both levels give the same. The second result
// is false if there is no answer in time or the cursor isn't at Go code.
func (c *Completer) Inspect(code string, cursor, detail int) (Inspection, bool) {
	ctx, cancel := context.WithTimeout(c.ctx, inspectPatience*c.options.Wait)
	defer cancel()
	offset := byteOffset(code, cursor)
	q := c.query(code, offset)
	if q.cell.script || q.cell.toFile(offset) < 0 {
		return Inspection{}, false
	}
	name, touched := nameAt(code, offset)
	if !touched {
		name = nameBefore(code, offset)
	}
	text := ""
	if !c.loading() {
		text = c.fromGopls(ctx, q, name, touched)
	}
	if late := ctx.Err() != nil || c.loading(); text == "" && late {
		text = c.hoverFromSource(q, name)
		return inspection(text), text != ""
	}
	return inspection(text), true
}

// fromGopls is gopls' text about a name, which the cursor touches or not, and about the call
// around the cursor.
func (c *Completer) fromGopls(ctx context.Context, q query, name int, touched bool) string {
	g := c.current(ctx)
	if g == nil {
		return ""
	}
	hover := ""
	if touched {
		hover = c.hover(ctx, g, q, name)
	}
	signature := c.signature(ctx, g, q)
	if hover == "" && signature == "" && !touched {
		hover = c.hover(ctx, g, q, name)
	}
	return join(hover, signature)
}

// inspection is the answer with a text in markdown.
func inspection(markdown string) Inspection {
	if markdown == "" {
		return Inspection{Data: map[string]any{}}
	}
	return Inspection{Found: true, Data: map[string]any{"text/markdown": markdown, "text/plain": plain(markdown)}}
}

// join puts what is said of a call below what is said of the name at the cursor, unless both
// are about one function.
func join(hover, signature string) string {
	switch {
	case signature == "":
		return hover
	case hover == "":
		return signature
	case firstCode(hover) == firstCode(signature):
		return hover
	}
	return hover + "\n\n---\n\n" + signature
}

// firstCode is the first line of the first block of code, without a function's receiver and
// the package before its name.
func firstCode(markdown string) string {
	_, code, _ := strings.Cut(markdown, "```go\n")
	first, _, _ := strings.Cut(code, "\n")
	return functionHead.ReplaceAllString(first, "func ")
}

// hover is gopls' text about the name at an offset of the cell, empty if there is none.
func (c *Completer) hover(ctx context.Context, g *gopls, q query, offset int) string {
	if offset < 0 {
		return ""
	}
	p, ok := q.position(offset)
	if !ok {
		return ""
	}
	var h *lspHover
	if err := c.ask(ctx, g, q, "textDocument/hover", p, &h); err != nil || h == nil {
		return ""
	}
	return c.clean(h.Contents.Value)
}

// signature is about the call whose brackets the cursor is in, empty outside of calls.
func (c *Completer) signature(ctx context.Context, g *gopls, q query) string {
	p, ok := q.position(q.offset)
	if !ok {
		return ""
	}
	var h *lspSignatureHelp
	if err := c.ask(ctx, g, q, "textDocument/signatureHelp", p, &h); err != nil || h == nil || len(h.Signatures) == 0 {
		return ""
	}
	s := h.Signatures[min(max(h.ActiveSignature, 0), len(h.Signatures)-1)]
	label := s.Label
	if !strings.HasPrefix(label, "func") {
		label = "func " + label
	}
	text := "```go\n" + label + "\n```"
	if active := h.ActiveParameter; len(s.Parameters) > 0 {
		active = min(max(active, 0), len(s.Parameters)-1)
		text += fmt.Sprintf("\n\nParameter %d of %d: **`%s`**", active+1, len(s.Parameters), s.Parameters[active].Label)
	}
	if doc := documentation(s.Documentation); doc != "" {
		text += "\n\n" + doc
	}
	return c.clean(text)
}

// nameAt is where the name that the cursor touches begins.
func nameAt(code string, offset int) (int, bool) {
	start, end := wordAround(code, offset)
	return start, start < end
}

// nameBefore is where the name begins that is nearest before an offset: after a closed call or
// index its function or variable. It is -1 if there is none.
func nameBefore(code string, offset int) int {
	name := -1
	var stack []int
	scan(code, func(at int, tok token.Token, _ string) bool {
		if at >= offset {
			return false
		}
		switch bracket(tok) {
		case 1:
			stack = append(stack, name)
		case -1:
			if len(stack) > 0 {
				name = stack[len(stack)-1]
				stack = stack[:len(stack)-1]
			}
		default:
			if tok == token.IDENT {
				name = at
			}
		}
		return true
	})
	return name
}

var (
	// links are markdown's links, with the text and the address.
	links = regexp.MustCompile(`\[((?:\\.|[^\]\\])*)\]\(([^)\s]*)\)`)
	// escapes are markdown's.
	escapes = regexp.MustCompile(`\\([\\` + "`" + `*_{}\[\]()#+\-.!<>|~])`)
	// emphasis is what is bold.
	emphasis = regexp.MustCompile(`\*\*([^\n]+?)\*\*`)
	// emptyLines are more than one.
	emptyLines = regexp.MustCompile(`\n{3,}`)
	// functionHead is the beginning of a function's declaration.
	functionHead = regexp.MustCompile(`^func (\([^)]*\) )?(\pL[\pL\d_]*\.)?`)
	// codeSpan is code within a line.
	codeSpan = regexp.MustCompile("`([^`\n]*)`")
)

// clean drops what has no use in a notebook from gopls' markdown: links to files, and to pages
// about packages that no site has (gopls makes them of the clone's path), become their text, and
// what is only such a link is left out.
func (c *Completer) clean(markdown string) string {
	module := modulePath(c.options.Root)
	text := outsideCode(strings.TrimSpace(markdown), func(text string) string {
		return links.ReplaceAllStringFunc(text, func(link string) string {
			m := links.FindStringSubmatch(link)
			page, onSite := strings.CutPrefix(m[2], "https://pkg.go.dev/")
			first := page[:len(page)-len(strings.TrimLeftFunc(page, isPathElement))]
			switch {
			case !strings.HasPrefix(m[2], "https://"), onSite && (first == "" || first == module || first == cellsModuleName):
				if strings.HasSuffix(m[1], " on pkg.go.dev") {
					return ""
				}
				return m[1]
			}
			return link
		})
	})
	text = outsideCode(text, func(text string) string { return emptyLines.ReplaceAllString(text, "\n\n") })
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "\n---"))
}

// isPathElement says whether a character belongs to an element of a page's path.
func isPathElement(r rune) bool { return !strings.ContainsRune("/#?@", r) }

// plain is the text of markdown for front ends that don't render it.
func plain(markdown string) string {
	text := outsideCode(markdown, func(text string) string {
		const tick = "\x00" // an escaped one begins no code
		text = strings.ReplaceAll(text, "\\`", tick)
		text = links.ReplaceAllString(text, "$1 ($2)")
		text = codeSpan.ReplaceAllString(text, "$1")
		text = emphasis.ReplaceAllString(text, "$1")
		text = escapes.ReplaceAllString(text, "$1")
		return strings.ReplaceAll(text, tick, "`")
	})
	var b strings.Builder
	for l := range strings.Lines(text) {
		if !strings.HasPrefix(l, "```") {
			b.WriteString(l)
		}
	}
	return strings.TrimSpace(b.String())
}

// outsideCode applies a function to the parts of markdown that aren't blocks of code.
func outsideCode(markdown string, apply func(string) string) string {
	var b, part strings.Builder
	inCode := false
	for l := range strings.Lines(markdown) {
		fence := strings.HasPrefix(l, "```")
		if fence && !inCode {
			b.WriteString(apply(part.String()))
			part.Reset()
		}
		if fence || inCode {
			b.WriteString(l)
		} else {
			part.WriteString(l)
		}
		inCode = inCode != fence
	}
	b.WriteString(apply(part.String()))
	return strings.ToValidUTF8(b.String(), string(utf8.RuneError))
}
