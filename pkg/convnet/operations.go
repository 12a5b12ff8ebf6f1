package convnet

// Operations is how many floating-point operations the features of one picture take, two for
// each multiplication with its addition: convolutions alone, without norms and activations.
func (c Config) Operations(height, width int) float64 {
	cells := func(stride int) float64 {
		return float64((height+stride-1)/stride) * float64((width+stride-1)/stride)
	}
	switch n := c.network().(type) {
	case *Lite:
		return 2 * n.products(cells)
	case *ResNet:
		return 2 * n.products(cells)
	}
	return 0
}

// products counts multiplications; cells is the number of cells at a distance in pixels.
func (l *Lite) products(cells func(stride int) float64) float64 {
	stride := 2
	sum := cells(stride) * float64(9*3*l.Stem)
	for _, b := range l.blocks() {
		if b.expands {
			sum += cells(stride) * float64(b.in*b.inner)
		}
		stride *= b.stride
		sum += cells(stride) * float64(b.inner*(b.kernel*b.kernel+b.out))
	}
	if l.Head > 0 {
		sum += cells(stride) * float64(l.Stages[len(l.Stages)-1].Channels*l.Head)
	}
	return sum
}

func (r *ResNet) products(cells func(stride int) float64) float64 {
	sum := cells(2) * float64(49*3*r.Width)
	in, stride := r.Width, 4
	for i, s := range r.Stages {
		inner, before := s.Channels/4, stride
		if i > 0 {
			stride *= 2
		}
		for j := range s.Blocks {
			if j == 0 {
				sum += cells(stride) * float64(in*s.Channels)
			}
			sum += cells(before)*float64(in*inner) + cells(stride)*float64(9*inner*inner+inner*s.Channels)
			in, before = s.Channels, stride
		}
	}
	return sum
}
