package hub

import (
	"cmp"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// repository is a parsed Hugging Face identifier.
type repository struct {
	owner, name string
	revision    string // a branch, tag or commit; "" means main
	file        string // a file in it; "" means the usual ones
}

// Forms of pasted identifiers: the prefixes of timm and transformers, and the addresses
// of pages and files.
var (
	hubPrefixes  = []string{"hf-hub:", "hf_hub:", "hf-hub://", "hf://", "huggingface:"}
	hubHosts     = []string{"huggingface.co", "www.huggingface.co", "hf.co"}
	partOfName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)
	fileName     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_ .+()/-]*[A-Za-z0-9_)]$`)
	revisionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)
)

// parseRepository parses an identifier: owner/name or owner/name@revision, with or
// without a prefix such as hf-hub:, or the address of a page or a file.
func parseRepository(text string) (r repository, ok bool) {
	text = asPasted(text)
	if page, ok := hubAddress(text); ok {
		return parsePage(page)
	}
	prefixed := false
	for _, p := range hubPrefixes {
		if rest, ok := strings.CutPrefix(text, p); ok {
			text, prefixed = strings.TrimPrefix(rest, "//"), true
			break
		}
	}
	text, r.revision, _ = strings.Cut(text, "@")
	var hasOwner bool
	if r.owner, r.name, hasOwner = strings.Cut(strings.TrimSuffix(text, "/"), "/"); !hasOwner && prefixed {
		r.owner, r.name = "timm", r.owner // as timm interprets it
	}
	return r, r.valid()
}

// asPasted strips characters that are often copied along: spaces, quotes, Markdown's
// brackets and backticks.
func asPasted(text string) string {
	text = strings.TrimSpace(text)
	for _, pair := range []string{`""`, "''", "``", "<>", "“”"} {
		marks := []rune(pair)
		if rest, ok := strings.CutPrefix(text, string(marks[0])); ok {
			if inner, ok := strings.CutSuffix(rest, string(marks[1])); ok {
				return strings.TrimSpace(inner)
			}
		}
	}
	return text
}

// cutAddress removes a prefix regardless of case, as schemes and hosts are
// case-insensitive.
func cutAddress(text, prefix string) (rest string, ok bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// hubAddress is the path in an address on Hugging Face or on the configured mirror.
func hubAddress(text string) (page string, ok bool) {
	bare := text
	for _, scheme := range []string{"https://", "http://"} {
		bare, _ = cutAddress(bare, scheme)
	}
	mirror := endpoint(HuggingFace)
	for _, scheme := range []string{"https://", "http://"} {
		mirror = strings.TrimPrefix(mirror, scheme)
	}
	for _, host := range append(slices.Clone(hubHosts), mirror) {
		if page, ok := cutAddress(bare, host+"/"); ok {
			return page, true
		}
	}
	return "", false
}

// otherPages are the first path elements of pages that aren't model repositories.
var otherPages = []string{"datasets", "spaces", "models", "docs", "papers", "collections", "blog", "api", "learn", "posts", "tasks"}

// parsePage parses the path of an address: owner/name, followed by nothing, by
// tree/revision or commit/revision, or by blob/revision/file or resolve/revision/file.
func parsePage(page string) (r repository, ok bool) {
	page, _, _ = strings.Cut(page, "?")
	page, _, _ = strings.Cut(page, "#")
	if plain, err := url.PathUnescape(page); err == nil {
		page = plain
	}
	parts := strings.Split(strings.Trim(page, "/"), "/")
	if len(parts) < 2 || slices.Contains(otherPages, parts[0]) {
		return r, false
	}
	r.owner, r.name = parts[0], strings.TrimSuffix(parts[1], ".git") // the address for git clone
	if len(parts) > 3 {
		switch parts[2] {
		case "tree", "commit":
			r.revision = strings.Join(parts[3:], "/")
		case "blob", "resolve", "raw":
			r.revision, r.file = cmp.Or(parts[3], "main"), strings.Join(parts[4:], "/")
		}
	}
	return r, r.valid()
}

func (r repository) valid() bool {
	return partOfName.MatchString(r.owner) && partOfName.MatchString(r.name) && !strings.Contains(r.name, "..") &&
		(r.revision == "" || revisionName.MatchString(r.revision) && !strings.Contains(r.revision, "..")) &&
		(r.file == "" || fileName.MatchString(r.file) && path.Clean(r.file) == r.file)
}

func (r repository) id() string { return r.owner + "/" + r.name }

// String is the shortest identifier that parses to this repository.
func (r repository) String() string {
	if r.file != "" {
		return "https://huggingface.co/" + r.id() + "/blob/" + r.at() + "/" + r.file
	}
	if r.revision != "" {
		return r.id() + "@" + r.revision
	}
	return r.id()
}

// at is the revision to request.
func (r repository) at() string {
	if r.revision == "" {
		return "main"
	}
	return r.revision
}

// folder is the name of the repository's folder in the cache.
func (r repository) folder() string {
	name := r.owner + "--" + r.name
	if r.revision != "" {
		name += "@" + strings.ReplaceAll(r.revision, "/", "--")
	}
	if r.file != "" {
		name += "--" + strings.ReplaceAll(r.file, "/", "--")
	}
	return name
}

// known returns the catalogue entry for the repository, if there is one.
func (r repository) known() (Checkpoint, bool) {
	for _, c := range catalogue {
		if c.Host != HuggingFace || r.revision != "" && r.revision != c.Revision && r.revision != "main" ||
			r.revision == "main" && c.Revision != "main" || r.file != "" && r.file != c.Files[0].Name {
			continue
		}
		if strings.EqualFold(c.Repo, r.id()) || strings.EqualFold("timm/"+c.Name, r.id()) && strings.HasPrefix(c.Repo, "timm/") {
			return c, true
		}
	}
	return Checkpoint{}, false
}

// checkpoint is the repository as a catalogue entry. Its files are known only after it
// has been fetched.
func (r repository) checkpoint() Checkpoint {
	return Checkpoint{
		Name: r.String(), Title: "a Hugging Face repository", Host: HuggingFace, Repo: r.id(), Revision: r.at(),
		License: licenceUnknown, Page: "https://huggingface.co/" + r.id(), from: &r,
	}
}

// licenceUnknown stands for the licence of a repository that doesn't state one.
const licenceUnknown = "not known: see the page"

// Find finds a checkpoint by any name that [Pull] accepts: a catalogue name; a Hugging
// Face identifier as timm and transformers accept it (owner/name, owner/name@revision,
// hf-hub:owner/name) or the address of a page or file there; a timm model with its tag
// (vit_base_patch16_224.augreg_in21k_ft_in1k); or the address of a file in the
// catalogue. A repository outside the catalogue is returned as a checkpoint without
// files until it has been fetched.
func Find(name string) (Checkpoint, bool) {
	name = asPasted(name)
	if c, ok := Lookup(name); ok {
		return c, true
	}
	for _, c := range catalogue {
		if c.Repo == "timm/"+name || c.Host == GitHub && slices.ContainsFunc(c.Files, func(f File) bool { return c.url(f) == name }) {
			return c, true
		}
	}
	r, ok := parseRepository(name)
	if !ok {
		return Checkpoint{}, false
	}
	if c, ok := r.known(); ok {
		return c, true
	}
	return r.checkpoint(), true
}
