package backend

import "github.com/gomlx/compute"

// IsCard says whether a backend computes on a graphics card, which larger batches keep busy.
func IsCard(b compute.Backend) bool {
	x, ok := b.(interface{ PluginName() string })
	return ok && isCUDA(x.PluginName())
}
