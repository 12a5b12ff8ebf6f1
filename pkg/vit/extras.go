package vit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// A file often holds more than a layout has names for. What stands behind the
// blocks (heads, projections, losses, decoders) or beside the model (optimisers,
// other models) can't change the tokens and the attention, and is passed over with
// a warning. What may stand before or inside the blocks would change them, and is
// an error. A tensor that the layout doesn't know is passed over only if
//
//   - it lies outside the set's prefix and isn't of a kind that is put into a model
//     from outside (prompts, LoRA, adapters, tokens),
//   - or its first part is a name for what comes after the blocks (behindPart),
//   - or it is a counter: one whole number,
//   - or it belongs to a linear layer from the model's width to another one, with a
//     bias, by itself or among others none of which leads back to that width.
//
// Every tensor of a block or of the patch embedding matters.

// extras are the tensors that a layout has no name for.
type extras struct {
	passed []string // they play no part before the head
	matter []string // they may
	beside []string // those of passed that stand between the blocks and a head
}

// Parts of names, split at underscores where that makes no difference.
var (
	behindPart = regexp.MustCompile(`^(?:(?:.*_)?(?:heads?|classifiers?|predictors?|projectors?|projections?|decoders?|loss|losses|criterion|prototypes?|queues?|centers?|logits?|regressors?|discriminator)(?:_.*)?|` +
		`fcs?|fc_.*|cls|cls_(?:head|fc|layer|pred)|out|output|output_.*|linear|linear_.*|dense|proj|proj_.*|mlp|mlp_.*|last_layer|final_layer|mask_token|mask_tokens|mask_embed.*|masked_embed.*|` +
		`arc|arc_?face|cos_?face|sphere_?face|margin|metric|metric_.*|aux|aux_.*|logit_scale|logit_bias|temperature|temp|tau|` +
		`pooler|pool|pooling|attn_pool|attention_pool|neck|necks|bottleneck|bnneck|bn_neck|text_model|text_encoder|text_.*|lm_head|language_.*|teacher|teacher_.*|student|student_.*|momentum_.*)$`)
	inputPart      = regexp.MustCompile(`(?:^|_)(?:tokens?|embed|embeds|embeddings?|pos|positions?|positional)(?:_|$)`)
	notInputPart   = regexp.MustCompile(`^(?:mask|masked|decoder|predictor|text|query|teacher|student|momentum)`)
	ownTokens      = regexp.MustCompile(`^(?:cls|class|reg|register|dist|distillation|extra|prefix)_?(?:tokens?|embeddings?)$`)
	beforeHeadPart = regexp.MustCompile(`^(?:pooler|pool|pooling|attn_pool|attention_pool|necks?|bottleneck|bnneck|bn_neck|(?:.*_)?neck)$`)
	intruderPart   = regexp.MustCompile(`(?:^|[._])(?:prompts?|lora|lora_[a-zA-Z_]*|adapters?|soft_tokens?)(?:$|[._])`)
	bookkeeping    = regexp.MustCompile(`^(?:optimizers?|optim|opt|optimizer_.*|optim_.*|lr_schedulers?|schedulers?|scheduler_.*|sched|ema_sched|scaler|grad_scaler|loss_scaler|amp|amp_.*|rng|rng_.*|.*_rng|.*_rng_state|random.*|callbacks|loops|args|hyper_parameters|config|cfg|history|metrics?|best_.*|trainer|epoch|step|iter|iteration|ema_state|gns_stats)(?:\.|$)`)
)

// wrappers are parts that tools put into names and that stand for nothing.
var wrappers = []string{"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_forward_module."}

// plainNames drops wrappers from names; where that makes two the same, from none.
func plainNames(names []string) (plain []string, file map[string]string) {
	file = make(map[string]string, len(names))
	for _, name := range names {
		p := name
		for _, w := range wrappers {
			p = strings.ReplaceAll(p, w, "")
		}
		if _, twice := file[p]; twice {
			file = make(map[string]string, len(names))
			for _, name := range names {
				file[name] = name
			}
			return names, file
		}
		file[p] = name
		plain = append(plain, p)
	}
	return plain, file
}

// sortExtras judges what the set's table has no name for, and the names outside the
// set that belong to no other.
func (s *weightSet) sortExtras(sets []*weightSet, tensor func(name string) *weights.Tensor) extras {
	var e extras
	dim := s.dim(tensor)
	inside := map[string]bool{}
	for _, name := range s.match.unknown {
		inside[name] = true
	}
	for _, name := range s.match.outside {
		if bookkeeping.MatchString(name) || s.isOtherSets(name, sets) {
			continue
		}
		e.take(name, !intruderPart.MatchString(name) && !ownTokens.MatchString(besidePrefix(name, s.prefix)))
		if beforeHeadPart.MatchString(firstPart(besidePrefix(name, s.prefix))) {
			e.beside = append(e.beside, name)
		}
	}
	for _, name := range s.match.unknown {
		rest := strings.TrimPrefix(name, s.prefix)
		first := firstPart(rest)
		switch {
		case s.match.table.isCore(first):
			e.take(name, false)
		case intruderPart.MatchString(rest):
			e.take(name, false)
		case behindPart.MatchString(first) && (!inputPart.MatchString(first) || notInputPart.MatchString(first)):
			e.take(name, true)
			if beforeHeadPart.MatchString(first) {
				e.beside = append(e.beside, name)
			}
		case isCounter(tensor(name)):
			e.take(name, true)
		default:
			e.take(name, s.isLinearBehind(first, inside, dim, tensor))
		}
	}
	return e
}

func (e *extras) take(name string, harmless bool) {
	if harmless {
		e.passed = append(e.passed, name)
	} else {
		e.matter = append(e.matter, name)
	}
}

// isOtherSets tells whether a name outside the set belongs to one that wasn't taken:
// to the other set, or to what lies beside that one, such as a student's head.
func (s *weightSet) isOtherSets(name string, sets []*weightSet) bool {
	mine := s.path()
	for _, o := range sets {
		if o == s {
			continue
		}
		theirs := o.path()
		i := 0
		for i < len(mine) && i < len(theirs) && mine[i] == theirs[i] {
			i++
		}
		if i < len(theirs) && strings.HasPrefix(name, strings.Join(theirs[:i+1], ".")+".") || strings.HasPrefix(name, o.prefix) && len(o.prefix) > len(s.prefix) {
			return true
		}
	}
	return false
}

// dim is the width of the set's tokens, 0 if it can't be told.
func (s *weightSet) dim(tensor func(name string) *weights.Tensor) int {
	for _, f := range s.match.found["block_0/mlp/fc2/weight"] {
		if t := tensor(f.name); t != nil && len(t.Shape) == 2 {
			if f.fix == inFirst {
				return t.Shape[1]
			}
			return t.Shape[0]
		}
	}
	return 0
}

// isCore tells whether tensors whose names begin so lie in the blocks or before
// them.
func (t *table) isCore(first string) bool {
	return t.isStem(first) || slices.ContainsFunc(t.rows, func(r row) bool {
		return firstPart(r.file) == first && (strings.HasPrefix(r.ours, "block_") || strings.HasPrefix(r.ours, "patch/") || r.ours == "positions" && r.file != first)
	})
}

// isCounter tells whether a tensor is a single whole number or a switch, as batch
// norms and moving averages count.
func isCounter(t *weights.Tensor) bool {
	if t == nil || t.Len() != 1 {
		return false
	}
	switch t.DType {
	case weights.Int64, weights.Int32, weights.Int16, weights.Int8, weights.Uint8, weights.Bool:
		return true
	}
	return false
}

// isLinearBehind tells whether the tensors that the layout doesn't know and that
// share a first part are linear layers that lead away from the model's width.
func (s *weightSet) isLinearBehind(first string, unknown map[string]bool, dim int, tensor func(name string) *weights.Tensor) bool {
	reads := false
	for name := range unknown {
		if firstPart(strings.TrimPrefix(name, s.prefix)) != first {
			continue
		}
		t := tensor(name)
		if isCounter(t) {
			continue
		}
		if t == nil || len(t.Shape) == 0 || len(t.Shape) > 2 || t.Shape[0] == dim {
			return false
		}
		if len(t.Shape) == 2 {
			module, isWeight := strings.CutSuffix(name, ".weight")
			if !isWeight || !unknown[module+".bias"] {
				return false
			}
			reads = reads || t.Shape[1] == dim || t.Shape[1] == 2*dim
		}
	}
	return reads && dim > 0
}

// firstPart is a name up to its first separator.
func firstPart(name string) string {
	if i := strings.IndexAny(name, "./"); i >= 0 {
		return name[:i]
	}
	return name
}

// passedWarning names what is passed over, in groups.
func (s *weightSet) passedWarning(names []string) string {
	var order []string
	groups := map[string][]string{}
	for _, name := range names {
		g := s.group(name)
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], name)
	}
	for i, g := range order {
		switch n := len(groups[g]); n {
		case 1:
			order[i] = groups[g][0]
		default:
			order[i] = fmt.Sprintf("%s (%d tensors)", g, n)
		}
	}
	return "passed over, since they play no part before the head: " + nn.FirstNames(order, 8)
}

// group is a name up to the part at which it leaves the set's own path, or its
// first part below the prefix.
func (s *weightSet) group(name string) string {
	parts := strings.Split(name, ".")
	path := s.path()
	i := 0
	for i < len(path) && i < len(parts)-1 && parts[i] == path[i] {
		i++
	}
	return strings.Join(parts[:i+1], ".")
}
