package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

type node struct {
	next *node
	data []byte
	name string
}

var (
	kept   = map[int]*node{}
	global []*node
)

func grow(depth int) int {
	var space [256]int
	space[depth%256] = depth
	if depth == 0 {
		return 0
	}
	return grow(depth-1) + space[depth%256] - depth + 1
}

func word(n int) string {
	switch n { // a jump table
	case 0:
		return "zero"
	case 1:
		return "one"
	case 2:
		return "two"
	case 3:
		return "three"
	case 4:
		return "four"
	case 5:
		return "five"
	case 6:
		return "six"
	case 7:
		return "seven"
	case 8:
		return "eight"
	}
	return "many"
}

func recovered() (text string) {
	defer func() {
		text = fmt.Sprint("recovered: ", recover())
	}()
	var empty []int
	return fmt.Sprint(empty[3])
}

func main() {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				n := &node{data: make([]byte, 512), name: fmt.Sprintf("%d/%d", g, i)}
				mu.Lock()
				kept[i%64] = n
				if i%100 == 0 {
					global = append(global, n)
				}
				mu.Unlock()
				if i%500 == 0 {
					runtime.GC()
				}
			}
		})
	}
	wg.Wait()
	runtime.GC()
	for _, n := range global {
		if !strings.Contains(n.name, "/") || len(n.data) != 512 {
			fmt.Println("lost", n)
		}
	}
	fmt.Println(len(kept), len(global), grow(5000))
	fmt.Println(word(3), word(8), word(9), recovered())
	done := make(chan bool)
	time.AfterFunc(time.Millisecond, func() { close(done) })
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		fmt.Println("no timer")
	}
	spin := true
	go func() { time.Sleep(5 * time.Millisecond); mu.Lock(); spin = false; mu.Unlock() }()
	for again := true; again; { // preempted in a loop without calls that yield
		mu.Lock()
		again = spin
		mu.Unlock()
	}
	pc, file, line, ok := runtime.Caller(0)
	fmt.Println(strings.HasSuffix(runtime.FuncForPC(pc).Name(), ".main"), strings.HasSuffix(file, "main.go"), line > 90, ok)
	fmt.Printf("%.3f %v\n", math.FMA(2, 3, 4), math.Inf(1))
	defer fmt.Println("deferred calls don't run after os.Exit")
	os.Exit(3)
}

// Output:
// 64 160 5000
// three eight many recovered: runtime error: index out of range [3] with length 0
// true true true true
// 10.000 +Inf
// exit status 3
