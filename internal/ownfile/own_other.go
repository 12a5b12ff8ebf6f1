//go:build !unix

// Package ownfile reads files whose content will be run. Who they belong to is looked at
// on Unix only.
package ownfile

import "os"

// Read reads a file.
func Read(path string) ([]byte, error) { return os.ReadFile(path) }

// Stat describes a file.
func Stat(path string) (os.FileInfo, error) { return os.Stat(path) }
