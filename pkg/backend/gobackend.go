//go:build !xlaonly

package backend

import _ "github.com/gomlx/compute/gobackend" // registers "go"

// withoutGo says why the Go backend is not compiled in; empty when it is.
const withoutGo = ""
