package main

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"reflect"
)

type Point struct{ X, Y int }

func (p Point) Sum() int { return p.X + p.Y }

type Pair[A, B any] struct {
	L A
	R B
}

type Summer interface{ Sum() int }

func main() {
	fmt.Printf("%T %T\n", Pair[Point, int]{}, map[Point]Pair[string, Pair[Point, *Point]]{})
	fmt.Printf("%#v\n", Pair[[]Point, int]{L: []Point{{1, 2}}})
	fmt.Println(reflect.TypeFor[Point]().PkgPath(), reflect.TypeFor[Pair[Point, int]]().Name())
	gob.Register(Point{})
	var b bytes.Buffer
	var in, out Summer = Point{3, 4}, nil
	fmt.Println(gob.NewEncoder(&b).Encode(&in), bytes.Contains(b.Bytes(), []byte("main.Point")))
	fmt.Println(gob.NewDecoder(&b).Decode(&out), out.Sum())
}

// Output:
// main.Pair[main.Point,int] map[main.Point]main.Pair[string,main.Pair[main.Point,*main.Point]]
// main.Pair[[]main.Point,int]{L:[]main.Point{main.Point{X:1, Y:2}}, R:0}
// main Pair[main.Point,int]
// <nil> true
// <nil> 7
