package backend

import "gaze/pkg/backend/internal/products"

// Tiles says whether XLA on the CPU multiplies float32 matrices on AMX tiles here: each
// number as the exact sum of three bfloat16s, added up in float32. It does where the
// processor has them (Intel's Xeons since Sapphire Rapids) unless $GAZE_TILES is "off".
// Results then differ from those of other processors in their last bits, as they do
// between plugins.
func Tiles() bool { return products.Available() }
