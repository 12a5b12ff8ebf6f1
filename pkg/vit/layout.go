package vit

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gaze/pkg/nn"
)

// Layout is a way in which checkpoints name and arrange a Vision Transformer's
// weights.
type Layout string

const (
	Lukemelas   Layout = "lukemelas"          // PyTorch-Pretrained-ViT: B_16_imagenet1k and its family
	Timm        Layout = "timm"               // timm's vit_* and deit_*, also DINO and the original DeiT
	HFViT       Layout = "huggingface-vit"    // transformers' ViTModel, ViTForImageClassification
	HFDeiT      Layout = "huggingface-deit"   // transformers' DeiTModel and its classifiers
	HFDinov2    Layout = "huggingface-dinov2" // transformers' Dinov2 models, with and without registers
	HFCLIP      Layout = "huggingface-clip"   // the vision towers of transformers' CLIP and SigLIP
	DINOv2      Layout = "dinov2"             // facebookresearch/dinov2
	Torchvision Layout = "torchvision"        // torchvision's vit_b_16 family, with torchvision's or SWAG's weights
	Jeonsworld  Layout = "jeonsworld"         // ViT-pytorch
	GoogleNPZ   Layout = "google-npz"         // google-research/vision_transformer
	BigVision   Layout = "big-vision-npz"     // google-research/big_vision
	Random      Layout = "random"             // made by New, no checkpoint
)

// fix is what has to be done to a tensor of a file to make it a torch one.
type fix = nn.Order

const (
	asIs     = nn.AsIs
	flatten  = nn.Flatten
	inFirst  = nn.InFirst
	outLast  = nn.OutLast
	fromHWIO = nn.FromHWIO
	toTokens = nn.ToTokens
)

// row says where one tensor of a file belongs.
type row struct {
	file string // its name in the file; # is a block's index
	ours string // the parameter it is, or is a part of
	part int    // its place among the tensors stacked into that parameter
	fix  fix
}

// table is a layout: names, what may be there but isn't needed, and what the
// shapes can't tell.
type table struct {
	layout Layout
	// anchor is the patch embedding's weight: every file of the layout has it.
	// What precedes it (as "vit." or "module.backbone.") is a prefix to drop.
	anchor string
	rows   []row
	heads  []string                 // modules that are the head, in which fine-tuning may have put a sequence
	ignore []string                 // tensors that a forward pass doesn't use; # as above, a final * for any rest
	stem   *stemNames               // of hybrids; nil if the layout has none
	rename func(name string) string // for names no row can express; nil if none
	// section is where in a config.json that describes several models this one's part
	// is; a layout that has one needs the file, since nothing else tells its activation.
	section  string
	headless string         // why no layer of the file can be a head; "" where one can
	needs    string         // a parameter without which it is another layout; "" for none
	block    *regexp.Regexp // finds a block's index, its first group
	// defaults sets what neither names nor shapes tell and returns how positions
	// are resized.
	defaults func(c *Config) PosResize
}

var dottedBlock = regexp.MustCompile(`(?:^|\.)(\d+)\.`)

// tables lists the layouts. A file is taken for the first among those that
// explain most of its tensors.
var tables = []*table{&timmTable, &lukemelasTable, &hfViTTable, &hfDeiTTable, &hfDinov2Table, &hfCLIPTable, &dinov2Table, &torchvisionTable, &jeonsworldTable, &googleTable, &bigVisionTable}

// linear is the rows of a layer's weight and bias under the same names.
func linear(file, ours string) []row {
	return []row{{file: file + ".weight", ours: ours + "/weight"}, {file: file + ".bias", ours: ours + "/bias"}}
}

// stacked is the rows of layers that are stacked, in this order, into one.
func stacked(ours string, files ...string) []row {
	var rows []row
	for i, f := range files {
		for _, r := range linear(f, ours) {
			r.part = i
			rows = append(rows, r)
		}
	}
	return rows
}

// join puts lists of rows together.
func join(lists ...[]row) []row { return slices.Concat(lists...) }

// match is a file's tensors seen through a table.
type match struct {
	table     *table
	prefix    string
	inFile    map[string]string        // names as the file has them, where tools put something into them
	found     map[string]map[int]found // parameter, then part
	unknown   []string                 // tensors below the prefix that no row explains
	outside   []string                 // tensors outside it that no row explains
	duplicate []string                 // tensors for a place that was taken
	explained int
	noBias    bool // the head has no bias, which is one of zeros
}

// found is a tensor's name in the file and what it needs.
type found struct {
	name string
	fix  fix
}

// apply looks at the names of a file's tensors through the table.
func (t *table) apply(names []string) *match {
	m := t.applyBelow(t.prefix(names), names)
	m.unknown = append(m.unknown, m.outside...)
	m.outside = nil
	return m
}

// applyBelow is apply with the prefix given that precedes the layout's own names.
// Of the tensors outside it, those are the model's that come after the blocks and
// stand where the prefix's own parts do: vit.embeddings… goes with classifier.weight.
func (t *table) applyBelow(prefix string, names []string) *match {
	m := &match{table: t, prefix: prefix, found: map[string]map[int]found{}}
	rows := make(map[string]row, len(t.rows))
	for _, r := range t.rows {
		rows[r.file] = r
	}
	stems := t.stemRows(namesBelow(names, prefix))
	for _, name := range names {
		rest, inside := strings.CutPrefix(name, prefix)
		if !inside {
			rest = besidePrefix(name, prefix)
		}
		key, index := t.key(rest)
		r, ok := rows[key]
		if s, is := stems[t.renamed(rest)]; is && inside {
			r, ok = s, true
		}
		switch {
		case ok && r.ours == "": // of a stem, and of no use
			m.explained++
		case ok && (inside || afterBlocks.MatchString(r.ours)):
			ours := strings.ReplaceAll(r.ours, "#", index)
			if m.found[ours] == nil {
				m.found[ours] = map[int]found{}
			}
			if _, taken := m.found[ours][r.part]; taken {
				m.duplicate = append(m.duplicate, name)
				continue
			}
			m.found[ours][r.part] = found{name, r.fix}
			m.explained++
		case inside && t.ignored(key):
			m.explained++
		case inside:
			m.unknown = append(m.unknown, name)
		default:
			m.outside = append(m.outside, name)
		}
	}
	return m
}

// afterBlocks are the parameters that may lie beside the prefix.
var afterBlocks = regexp.MustCompile(`^(head|head_dist|norm|pool_norm|pre_logits)/`)

// besidePrefix is a name without what it has in common with a prefix.
func besidePrefix(name, prefix string) string {
	for {
		i := strings.LastIndexAny(strings.TrimRight(prefix, "./"), "./")
		prefix = prefix[:i+1]
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest
		}
	}
}

// key is a name with its block's index replaced by #, and that index.
func (t *table) key(name string) (key, index string) {
	name = t.renamed(name)
	at := t.block.FindStringSubmatchIndex(name)
	if at == nil {
		return name, ""
	}
	index = name[at[2]:at[3]]
	if len(index) > 1 && index[0] == '0' { // "01" isn't how anybody writes block 1
		return name, ""
	}
	return name[:at[2]] + "#" + name[at[3]:], index
}

// renamed is a name as the rows have it, but for the block's index.
func (t *table) renamed(name string) string {
	if t.rename != nil {
		return t.rename(name)
	}
	return name
}

// namesBelow are the names that begin with a prefix, without it.
func namesBelow(names []string, prefix string) []string {
	var out []string
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			out = append(out, rest)
		}
	}
	return out
}

// prefix is what stands before the anchor in this file.
func (t *table) prefix(names []string) string {
	best, ok := "", false
	for _, name := range names {
		p, is := strings.CutSuffix(name, t.anchor)
		if !is || p != "" && !strings.HasSuffix(p, ".") && !strings.HasSuffix(p, "/") {
			continue
		}
		if !ok || len(p) < len(best) {
			best, ok = p, true
		}
	}
	return best
}

func (t *table) ignored(key string) bool {
	for _, pattern := range t.ignore {
		if start, any := strings.CutSuffix(pattern, "*"); key == pattern || any && strings.HasPrefix(key, start) {
			return true
		}
	}
	return false
}

// detect finds the layout that explains the most of the names.
func detect(names []string) *match {
	var best *match
	for _, t := range tables {
		if m := t.apply(names); m.better(best) {
			best = m
		}
	}
	return best
}

// better tells whether the match explains more than another, which may be nil.
func (m *match) better(than *match) bool {
	if than == nil {
		return true
	}
	if _, ok := m.found[m.table.needs]; m.table.needs != "" && !ok {
		return false
	}
	return m.explained > than.explained
}

// notAViT is the error for a file without a Vision Transformer.
func notAViT(names []string) error {
	names = slices.DeleteFunc(slices.Clone(names), bookkeeping.MatchString)
	m := detect(names)
	var missing []string
	for _, name := range []string{"patch/weight", "positions", "block_0/mlp/fc2/weight"} {
		missing = append(missing, m.missingParts(name)...)
	}
	err := notOurs(m.table.layout, &nn.Mismatch{Missing: missing, LeftOver: m.unknown})
	if base := codeBase(names); base != "" {
		return fmt.Errorf("%s: %w", base, err)
	}
	return err
}

// notOurs is the error for a file whose tensors aren't what the layout and configuration
// call for.
func notOurs(layout Layout, m *nn.Mismatch) error {
	text := fmt.Sprintf("its tensors aren't those of a Vision Transformer (nearest layout: %s): %s", layout, m)
	if what := foreignPart(sorted(m.LeftOver)); what != "" {
		text += "; it has " + what
	} else if missing := m.Missing; len(missing) == 1 && positionNames.MatchString(missing[0]) {
		text += "; a model without position embeddings has rotary or relative ones (DINOv3, EVA-02, BEiT), which aren't computed"
	}
	return errors.New(text)
}

// positionNames are what the layouts call position embeddings.
var positionNames = regexp.MustCompile(`pos_embed$|pos_embedding$|position_embeddings$|position_embedding\.weight$`)

// rowsOf is the rows that make up a parameter, in order of parts: one list for
// each way in which the layout may name them.
func (t *table) rowsOf(ours string) [][]row {
	var ways [][]row
	for _, r := range t.rows {
		index := ""
		if before, after, blocks := strings.Cut(r.ours, "#"); blocks && strings.HasPrefix(ours, before) {
			index = strings.TrimSuffix(ours[len(before):], after)
		}
		if strings.ReplaceAll(r.ours, "#", index) != ours {
			continue
		}
		r.file = strings.ReplaceAll(r.file, "#", index)
		if r.part == 0 {
			ways = append(ways, nil)
		}
		ways[len(ways)-1] = append(ways[len(ways)-1], r)
	}
	return ways
}

// missingParts names the tensors that a parameter lacks, as the file would name
// them: after those of its parts that are there, if any is.
func (m *match) missingParts(ours string) []string {
	if ours == "head/bias" && m.noBias {
		return nil
	}
	ways := m.table.rowsOf(ours)
	if m.table.stem != nil && strings.HasPrefix(ours, stemScope) {
		ways = [][]row{{m.stemRow(ours)}}
	}
	if len(ways) == 0 {
		return []string{ours}
	}
	way := ways[0]
	for _, w := range ways {
		for _, r := range w {
			if f, ok := m.found[ours][r.part]; ok && strings.HasSuffix(f.name, r.file) {
				way = w
			}
		}
	}
	var missing []string
	for _, r := range way {
		if _, ok := m.found[ours][r.part]; !ok {
			missing = append(missing, r.file)
		}
	}
	return missing
}
