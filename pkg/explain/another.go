package explain

import "gaze/pkg/vit"

// Another is an explainer of another model on the same backend, such as a copy with
// permuted weights ([vit.Model.Permuted]).
func (e *Explainer) Another(m *vit.Model) (*Explainer, error) { return NewExplainer(e.backend, m) }
