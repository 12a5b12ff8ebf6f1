package vit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gaze/pkg/nn"
)

// weightSet is one Vision Transformer in a file: the tensors below a prefix, seen
// through the table that explains the most of them.
type weightSet struct {
	prefix string // such as "state_dict_ema." or "teacher.backbone."
	match  *match
}

// topLevel is the name of a set that nothing precedes.
const topLevel = "top"

// name is what a person calls the set.
func (s *weightSet) name() string { return setName(s.prefix) }

func setName(prefix string) string {
	if name := strings.TrimRight(prefix, "./"); name != "" {
		return name
	}
	return topLevel
}

// path is the prefix's parts.
func (s *weightSet) path() []string {
	return strings.FieldsFunc(s.prefix, func(c rune) bool { return c == '.' || c == '/' })
}

// findSets finds every Vision Transformer in a file, in the file's order. Each
// has a patch embedding, where its prefix shows, and a first block.
func findSets(names []string) []*weightSet {
	var prefixes []string
	for _, name := range names {
		for _, t := range tables {
			p, is := strings.CutSuffix(name, t.anchor)
			if is && (p == "" || strings.HasSuffix(p, ".") || strings.HasSuffix(p, "/")) && !slices.Contains(prefixes, p) {
				if s := bestBelow(p, names, nil); s.match.isModel() {
					prefixes = append(prefixes, p)
				}
			}
		}
		if len(prefixes) > maxSets {
			break
		}
	}
	var sets []*weightSet
	for _, p := range prefixes {
		sets = append(sets, bestBelow(p, names, prefixes))
	}
	return sets
}

// maxSets bounds the sets that are looked for: each takes time in proportion to
// the file's names.
const maxSets = 64

// isModel tells whether enough of a Vision Transformer is there to be one.
func (m *match) isModel() bool {
	_, patch := m.found["patch/weight"]
	_, block := m.found["block_0/mlp/fc2/weight"]
	return patch && block
}

// bestBelow looks at the names of a set, without those of the others, through the
// table that explains the most of them.
func bestBelow(prefix string, names, others []string) *weightSet {
	var mine []string
	for _, name := range names {
		if !belongsElsewhere(name, prefix, others) {
			mine = append(mine, name)
		}
	}
	best := &weightSet{prefix: prefix}
	for _, t := range tables {
		if m := t.applyBelow(prefix, mine); m.better(best.match) {
			best.match = m
		}
	}
	return best
}

// belongsElsewhere tells whether a name is below another prefix than the one it is
// looked at with, and that a closer one.
func belongsElsewhere(name, prefix string, others []string) bool {
	return slices.ContainsFunc(others, func(o string) bool {
		return o != prefix && strings.HasPrefix(name, o) && (len(o) > len(prefix) || !strings.HasPrefix(name, prefix))
	})
}

// precedence says which of two parts, at the place where the paths of two sets
// part, is the one that its owner's own code takes.
type precedence struct {
	better, worse *regexp.Regexp
	why           string
}

func precede(better, worse, why string) precedence {
	whole := func(s string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + s + `)$`) }
	return precedence{whole(better), whole(worse), why}
}

// What the parts of names stand for.
const (
	averagePart = `ema|ema_.*|.*_ema|avg|averaged.*|.*_avg|swa|swa_.*|.*_swa|shadow.*|polyak.*`
	momentPart  = `momentum_.*|.*_momentum|.*_m|encoder_k|.*_k|target|target_.*`
	modelPart   = `model|net|network|module|backbone|encoder|vit|visual.*|trunk|base_model|generator`
)

// deitPrecedence is for checkpoints of DeiT's script and of those made after it
// (MAE, BEiT, ConvNeXt): they resume, evaluate and fine-tune 'model'; the average
// is evaluated beside it.
var deitPrecedence = precede("model", "model_ema", "DeiT's and MAE's scripts evaluate and fine-tune it")

// precedences are in the order in which they are asked.
var precedences = []precedence{
	precede("state_dict_ema", ".*", "timm's load_checkpoint prefers the average"),
	precede("model_ema", ".*", "timm's load_checkpoint prefers the average"),
	precede("state_dict|model_state_dict|model_state", ".*", "it is what timm and Lightning load"),
	precede("teacher|teacher_.*|.*_teacher", "student|student_.*|.*_student", "DINO, iBOT and DINOv2 evaluate the teacher"),
	precede("online|online_.*", "target|target_.*", "BYOL keeps the online network"),
	precede("base_encoder|encoder_q", momentPart, "MoCo fine-tunes the base encoder"),
	precede("target_encoder", "encoder|context_encoder|anchor_encoder|student_encoder", "I-JEPA and MSN evaluate the target encoder"),
	precede(averagePart, modelPart+"|student|student_.*|online|online_.*", "the average is what is evaluated"),
	precede(modelPart, momentPart, "the other follows it by momentum"),
	precede("model", ".*", "it is the model"),
	precede(modelPart, ".*", "it is the model"),
}

// decide says whether the first of two sets is to be taken (1), the second (-1), or
// nothing is known that decides (0), and why.
func decide(a, b *weightSet, deit bool) (int, string) {
	pa, pb := a.path(), b.path()
	i := 0
	for i < len(pa) && i < len(pb) && pa[i] == pb[i] {
		i++
	}
	switch {
	case i == len(pa):
		return 1, "the other is a part of it"
	case i == len(pb):
		return -1, "the other is a part of it"
	}
	rules := precedences
	if deit && i == 0 {
		rules = append([]precedence{deitPrecedence}, rules...)
	}
	for _, r := range rules {
		first := r.better.MatchString(pa[i]) && r.worse.MatchString(pb[i])
		second := r.better.MatchString(pb[i]) && r.worse.MatchString(pa[i])
		switch {
		case first && !second:
			return 1, r.why
		case second && !first:
			return -1, r.why
		}
	}
	return 0, ""
}

// isDeiT knows a checkpoint of DeiT's script by the keys beside its two sets of
// weights.
func isDeiT(keys []string) bool {
	has := func(key string) bool { return slices.Contains(keys, key) }
	return has("model") && has("model_ema") && has("args") && (has("lr_scheduler") || has("scaler"))
}

// chooseSet takes the set that was asked for, or the one that the file's owner
// would, and says why where there are several.
func chooseSet(sets []*weightSet, asked string, keys []string) (chosen *weightSet, why string, err error) {
	candidates := sets
	if asked != "" {
		if candidates = setsCalled(sets, asked); len(candidates) == 0 {
			return nil, "", fmt.Errorf("it holds no set of weights called %q, only %s", asked, listSets(sets))
		}
		why = "as asked"
	}
	deit := isDeiT(keys)
	for _, s := range candidates {
		best, reason := true, ""
		for _, other := range candidates {
			if other == s {
				continue
			}
			way, because := decide(s, other, deit)
			if best = best && way > 0; reason == "" {
				reason = because
			}
		}
		if best {
			if why == "" {
				why = reason
			}
			return s, why, nil
		}
	}
	return nil, "", fmt.Errorf("it isn't clear which of its sets of weights is meant: %s; choose one with --weights (LoadOptions.Weights)", listSets(candidates))
}

// setsCalled are the sets of a name: that one, or else those whose path has the
// name's parts in it, one after the other.
func setsCalled(sets []*weightSet, asked string) []*weightSet {
	var whole, part []*weightSet
	want := (&weightSet{prefix: asked}).path()
	for _, s := range sets {
		if s.name() == setName(asked) || s.prefix == "" && asked == topLevel {
			whole = append(whole, s)
		}
		path := s.path()
		for i := 0; len(want) > 0 && i+len(want) <= len(path); i++ {
			if slices.Equal(path[i:i+len(want)], want) {
				part = append(part, s)
				break
			}
		}
	}
	if len(whole) > 0 {
		return whole
	}
	return part
}

func listSets(sets []*weightSet) string {
	var names []string
	for _, s := range sets {
		names = append(names, s.name())
	}
	return nn.FirstNames(names, 12)
}

// setsWarning says which of several sets was taken.
func setsWarning(sets []*weightSet, chosen *weightSet, why string) string {
	var others []*weightSet
	for _, s := range sets {
		if s != chosen {
			others = append(others, s)
		}
	}
	return fmt.Sprintf("it holds %d sets of weights: took %s (%s), not %s; --weights chooses another", len(sets), chosen.name(), why, listSets(others))
}
