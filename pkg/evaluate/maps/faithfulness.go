package maps

import (
	"context"
	"fmt"

	"gaze/pkg/explain"
)

// Parts are the groups of metrics of [NewFaithfulness].
type Parts uint8

// The groups. The runs of Curves and Products are made for each map, those of Subsets and
// Singles once for a picture and an operator, however many maps there are.
const (
	Curves   Parts = 1 << iota // deletion, insertion, ROAD's score, positive and negative perturbation
	Subsets                    // sensitivity-n and infidelity
	Singles                    // single deletion
	Products                   // average drop, increase and gain
)

// FaithfulnessOptions say what [NewFaithfulness] measures; the zero value is fine.
type FaithfulnessOptions struct {
	// Operators remove cells; nil: the training mean, blur, ROAD and token drop. A case that
	// an operator can't be used on has NaN in its columns.
	Operators []Operator
	Parts     Parts     // 0: all
	Fractions []float64 // of the cells, for curves; nil: [DefaultFractions]. None and all are always among them
	// Subsets is the number of random subsets (0: 100), SubsetShare the share of the cells
	// that each has (0: 0.2).
	Subsets     int
	SubsetShare float64
	Seed        uint64 // of ties and subsets
	Workers     int    // goroutines that build pictures; 0: one for each processor
}

// FaithfulnessJudge judges whether a model's answer changes with what a map marks.
type FaithfulnessJudge struct {
	o       FaithfulnessOptions
	columns []Column
}

// NewFaithfulness makes a judge. It is an error if a fraction or a share can't be, or if
// two operators have the same key.
func NewFaithfulness(o FaithfulnessOptions) (*FaithfulnessJudge, error) {
	if o.Operators == nil {
		o.Operators = []Operator{TrainingMean(), Blur(0), LinearImputation(0.01, o.Seed), TokenDrop()}
	}
	if o.Parts == 0 {
		o.Parts = Curves | Subsets | Singles | Products
	}
	if o.Fractions == nil {
		o.Fractions = DefaultFractions
	}
	if o.Subsets == 0 {
		o.Subsets = 100
	}
	if o.SubsetShare == 0 {
		o.SubsetShare = 0.2
	}
	if o.Subsets < 2 || !(o.SubsetShare > 0 && o.SubsetShare < 1) {
		return nil, fmt.Errorf("maps: %d subsets of a share of %g of the cells: at least 2 are needed, of a share between 0 and 1", o.Subsets, o.SubsetShare)
	}
	if _, err := counts(o.Fractions, 1); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, op := range o.Operators {
		if op.Key == "" || seen[op.Key] {
			return nil, fmt.Errorf("maps: an operator's key %q is empty or used twice", op.Key)
		}
		seen[op.Key] = true
	}
	f := &FaithfulnessJudge{o: o}
	for _, op := range o.Operators {
		f.columns = append(f.columns, f.of(op)...)
	}
	if o.Parts&Products != 0 {
		f.columns = append(f.columns, products...)
	}
	return f, nil
}

// Columns are those of each operator in order, then the products'.
func (f *FaithfulnessJudge) Columns() []Column { return f.columns }

// of are the columns of an operator.
func (f *FaithfulnessJudge) of(op Operator) (out []Column) {
	add := func(key, name string, c Column) {
		c.Key, c.Name, c.Family, c.Operator = key+"-"+op.Key, name+", "+op.Name, Faithfulness, op.Key
		c.About += "; " + op.About + "."
		out = append(out, c)
	}
	unit, correlation := [2]float64{0, 1}, [2]float64{-1, 1}
	if f.o.Parts&Curves != 0 {
		add("deletion", "deletion AUC", Column{Lower: true, Range: unit, About: "Area under the class's probability while the most relevant cells are removed (Petsiuk et al., RISE, 2018)"})
		add("insertion", "insertion AUC", Column{Range: unit, About: "Area under the class's probability while the most relevant cells are put into a picture without any (Petsiuk et al., RISE, 2018)"})
		add("gap", "½(LeRF-MoRF)", Column{Range: [2]float64{-0.5, 0.5}, Chance: known(0), About: "Half the difference of the class's probability without the least and without the most relevant cells, mean over the fractions (the score of Rong et al., ROAD, 2022)"})
		add("positive", "positive perturbation", Column{Lower: true, Range: [2]float64{0, 90}, About: "Area under the accuracy in percent while up to 90 % of the cells are removed, the most relevant first (Chefer et al., 2021)"})
		add("negative", "negative perturbation", Column{Range: [2]float64{0, 90}, About: "Area under the accuracy in percent while up to 90 % of the cells are removed, the least relevant first (Chefer et al., 2021)"})
	}
	if f.o.Parts&Subsets != 0 {
		what := fmt.Sprintf("%d random subsets of %g %% of the cells", f.o.Subsets, 100*f.o.SubsetShare)
		add("sensitivity-n", "sensitivity-n", Column{Range: correlation, Chance: known(0), About: "Pearson's correlation, over " + what + ", of the map's sum and the loss in logit when they are removed (Ancona et al., 2018)"})
		add("infidelity", "infidelity (scaled)", Column{Lower: true, Range: unit, About: "Mean squared difference of the map's sum, at the best scale, and the loss in logit, as a share of the mean squared loss, over " + what + " (Yeh et al., 2019)"})
	}
	if f.o.Parts&Singles != 0 {
		add("single", "single deletion", Column{Range: correlation, Chance: known(0), About: "Spearman's correlation of the map and the loss in logit when each cell is removed alone (Selvaraju et al., Grad-CAM, 2017)"})
	}
	return out
}

// products are the columns of pictures that are multiplied by their maps, which removes
// parts towards zero, the training mean.
var products = []Column{
	{Key: "average-drop", Name: "average drop", Family: Faithfulness, Lower: true, Range: [2]float64{0, 1}, Operator: "mean",
		About: "Share of the class's probability that is lost when the picture is multiplied by the map, scaled from 0 to 1 (Chattopadhay et al., Grad-CAM++, 2018)."},
	{Key: "increase", Name: "increase in confidence", Family: Faithfulness, Range: [2]float64{0, 1}, Operator: "mean",
		About: "Whether the class's probability rises when the picture is multiplied by the map, scaled from 0 to 1 (Chattopadhay et al., Grad-CAM++, 2018)."},
	{Key: "average-gain", Name: "average gain", Family: Faithfulness, Range: [2]float64{0, 1}, Operator: "mean",
		About: "Share of what is missing to a probability of 1 that is gained when the picture is multiplied by the map, scaled from 0 to 1 (Zhang et al., Opti-CAM, 2023)."},
}

// Judge is as in [Judge]. The model needs a head. Maps of a picture must have one grid,
// for [TokenDrop] that of the patches.
func (f *FaithfulnessJudge) Judge(ctx context.Context, e *explain.Explainer, entrants []*Entrant, cases []*Case, maps [][]explain.Map) ([][][]float64, error) {
	if err := checkMaps(entrants, cases, maps); err != nil {
		return nil, err
	}
	return f.judge(ctx, e, len(entrants), cases, maps)
}

func (f *FaithfulnessJudge) judge(ctx context.Context, e responder, entrants int, cases []*Case, maps [][]explain.Map) ([][][]float64, error) {
	out := blank(len(cases), entrants, len(f.columns))
	if len(cases) == 0 || entrants == 0 {
		return out, nil
	}
	var own []asked
	for _, c := range cases {
		if c.Tensor == nil {
			return nil, fmt.Errorf("maps: %s has no tensor", c.Name)
		}
		own = append(own, plain(c))
	}
	whole, err := ask(ctx, e, own, f.o.Workers)
	if err != nil {
		return nil, err
	}
	column := 0
	for _, op := range f.o.Operators {
		trials, err := f.plan(e, op, cases, maps)
		if err != nil {
			return nil, err
		}
		if err := f.run(ctx, e, op, trials); err != nil {
			return nil, err
		}
		for i, t := range trials {
			if t != nil {
				t.whole = whole[i]
				f.score(t, maps[i], out[i], column)
			}
		}
		column += len(f.of(op))
	}
	if f.o.Parts&Products == 0 {
		return out, nil
	}
	return out, f.multiply(ctx, e, cases, maps, whole, out, column)
}

// score writes an operator's scores of a picture's maps.
func (f *FaithfulnessJudge) score(t *trial, maps []explain.Map, out [][]float64, column int) {
	losses := func(of []int) []float64 {
		d := make([]float64, len(of))
		for i, at := range of {
			d[i] = t.whole.logit - t.answer(at).logit
		}
		return d
	}
	random, single := losses(t.random), losses(t.singles)
	for k, m := range maps {
		row, values := out[k][column:], doubles(m.Values)
		if f.o.Parts&Curves != 0 {
			scores := scoreCurves(t.curve(t.most[k]), t.curve(t.least[k]))
			row = row[copy(row, scores[:]):]
		}
		if f.o.Parts&Subsets != 0 {
			a := sums(values, t.subsets)
			row[0], row[1] = explain.Pearson(a, random), infidelity(a, random)
			if constant(m.Values) {
				row[0] = 0 // its sums differ by rounding only
			}
			row = row[2:]
		}
		if f.o.Parts&Singles != 0 {
			row[0] = explain.Spearman(values, single)
		}
	}
}

// multiply scores pictures that are multiplied by their maps.
func (f *FaithfulnessJudge) multiply(ctx context.Context, e responder, cases []*Case, maps [][]explain.Map, whole []answer, out [][][]float64, column int) error {
	var list []asked
	for i, c := range cases {
		for _, m := range maps[i] {
			list = append(list, asked{of: c, fill: func(dst []float32) error {
				weights := evenly(m.Values, f.o.Seed, c.Index)
				h, w := c.Tensor.Shape[1], c.Tensor.Shape[2]
				for at, v := range c.Tensor.Data {
					dst[at] = v * float32(weights[at/w%h*m.Rows/h*m.Cols+at%w*m.Cols/w])
				}
				return nil
			}})
		}
	}
	answers, err := ask(ctx, e, list, f.o.Workers)
	if err != nil {
		return err
	}
	for i := range cases {
		for k := range maps[i] {
			row := out[i][k][column:]
			row[0], row[1], row[2] = change(whole[i].probability, answers[0].probability)
			answers = answers[1:]
		}
	}
	return nil
}
