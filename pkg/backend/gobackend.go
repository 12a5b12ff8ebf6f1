//go:build !xlaonly

package backend

import _ "github.com/gomlx/compute/gobackend" // registers "go"

// withoutGo says why the Go backend isn't compiled in; empty if it is.
const withoutGo = ""
