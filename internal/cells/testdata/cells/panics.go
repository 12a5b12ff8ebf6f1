package main

import "fmt"

type deep struct{ n int }

func (d *deep) fall() { fmt.Println(d.n) }

func main() {
	fmt.Println("before")
	var d *deep
	d.fall()
}

// Output:
// before
// panic: runtime error: invalid memory address or nil pointer dereference
// exit status 2
