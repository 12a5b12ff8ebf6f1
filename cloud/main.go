// The program gaze-cloud has the drivers of buckets (s3://, gs://) for Gaze's other programs,
// which start it when they need it and speak to it over a socket (gaze/internal/bucketserver).
// It is a module and program of its own because the drivers and what they import are larger
// than the rest of Gaze.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"gaze/internal/bucketserver"
)

func main() {
	if len(os.Args) != 3 || os.Args[1] != "serve" {
		fmt.Fprintln(os.Stderr, "gaze-cloud is started by Gaze when a path begins with s3:// or gs://; it does nothing by itself.")
		os.Exit(2)
	}
	out := os.Stdout
	os.Stdout = os.Stderr // some drivers print warnings
	if err := serve(os.Args[2], os.Stdin, out); err != nil {
		fmt.Fprintln(os.Stderr, "gaze-cloud:", err)
		os.Exit(1)
	}
}

// serve serves buckets at a socket until in ends, which it does with the process at its other
// end. It writes a line to out when it is ready, and removes the socket's folder at the end.
func serve(socket string, in io.Reader, out io.Writer) error {
	defer os.RemoveAll(filepath.Dir(socket))
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	buckets := &buckets{}
	server := &http.Server{Handler: bucketserver.Handler(buckets.open)}
	go func() {
		io.Copy(io.Discard, in)
		server.Close()
	}()
	fmt.Fprintln(out, "ready")
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return buckets.close()
}
