//go:build !unix

// Package ownfile reads files whose content will be executed. The owner is checked on
// Unix only, so on this system it adds nothing to package os. It doesn't check the
// content.
package ownfile

import "os"

// Read is os.ReadFile.
func Read(path string) ([]byte, error) { return os.ReadFile(path) }

// Stat is os.Stat.
func Stat(path string) (os.FileInfo, error) { return os.Stat(path) }
