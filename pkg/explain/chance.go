package explain

import "math/rand/v2"

// chance makes the random numbers of the methods that need some. index is the picture's,
// sample counts from 0; r was seeded for the picture and is drawn from in the samples' order.
type chance struct {
	// noise fills to, [channels, height, width], with standard normal numbers.
	noise func(r *rand.Rand, index, sample int, to []float32)
	// mask fills to, [height, width], with what "rise" multiplies pixels by, from 0 to 1.
	mask func(r *rand.Rand, index, sample int, size [2]int, to []float32)
	// drop marks the patches that "rise-tokens" takes out.
	drop func(r *rand.Rand, index, sample int, to []bool)
}

// random is the source of the random numbers of the job's only picture.
func (j *job) random() *rand.Rand { return rand.New(rand.NewPCG(j.seed, uint64(j.indices[0]))) }

var seeded = chance{noise: normalNoise, mask: riseMask, drop: dropHalf}

func normalNoise(r *rand.Rand, _, _ int, to []float32) {
	for i := range to {
		to[i] = float32(r.NormFloat64())
	}
}

// riseCells is the side of the grid of a mask of "rise", riseKept the probability with which
// a cell, or a patch, is kept.
const (
	riseCells = 7
	riseKept  = 0.5
)

// riseMask is a grid of 7×7 cells, each kept with probability ½, enlarged bilinearly to the
// size of 8×8 of its cells and cut out at a random place. A cell is a seventh of the
// picture, rounded up (Petsiuk, Das & Saenko, RISE, 2018).
func riseMask(r *rand.Rand, _, _ int, size [2]int, to []float32) {
	var kept [riseCells * riseCells]float64
	for i := range kept {
		if r.Float64() < riseKept {
			kept[i] = 1
		}
	}
	var cell, at [2]int
	for i := range cell {
		cell[i] = (size[i] + riseCells - 1) / riseCells
		at[i] = r.IntN(cell[i])
	}
	whole := newEnlarger([2]int{riseCells, riseCells}, [2]int{(riseCells + 1) * cell[0], (riseCells + 1) * cell[1]})
	whole.window(kept[:], at, size, to)
}

// dropHalf marks each patch with probability ½; not all of them.
func dropHalf(r *rand.Rand, _, _ int, to []bool) {
	for {
		any := false
		for i := range to {
			to[i] = r.Float64() >= riseKept
			any = any || !to[i]
		}
		if any {
			return
		}
	}
}
