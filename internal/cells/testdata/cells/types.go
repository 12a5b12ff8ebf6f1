package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"reflect"
	"strings"
)

type level int

func (l level) String() string { return [...]string{"low", "high"}[l] }

type wrapped struct {
	*strings.Reader
	image.Point `json:"at"`
	Tags        map[string][]level `json:"tags,omitempty"`
}

type failure struct{ code int }

func (f *failure) Error() string { return fmt.Sprint("code ", f.code) }

type solid struct{ c color.RGBA }

func (s solid) ColorModel() color.Model { return color.RGBAModel }
func (s solid) Bounds() image.Rectangle { return image.Rect(0, 0, 2, 1) }
func (s solid) At(x, y int) color.Color { return s.c }

var table [4096]struct {
	name  string
	boxes [8]*image.RGBA
}

var registry = map[reflect.Type]string{reflect.TypeFor[level](): "level", reflect.TypeFor[image.Point](): "point"}

func init() { table[4095].name = "last" }

func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case fmt.Stringer:
		return "stringer " + v.String()
	case error:
		return "error " + v.Error()
	case image.Image:
		return "image " + fmt.Sprint(v.Bounds().Dx())
	case func(int) int:
		return fmt.Sprint("func ", v(3))
	case []level, map[string]int:
		return fmt.Sprintf("%T", v)
	}
	return "?"
}

func main() {
	w := wrapped{strings.NewReader("abc"), image.Pt(1, 2), map[string][]level{"x": {1, 0}}}
	data, err := json.Marshal(struct {
		At   image.Point
		Tags map[string][]level
	}{w.Point, w.Tags})
	fmt.Println(string(data), err)
	rest, _ := io.ReadAll(w)
	fmt.Println(string(rest), w.Add(image.Pt(1, 1)))
	for _, v := range []any{nil, level(1), &failure{3}, solid{}, func(x int) int { return x * x }, []level{}, map[string]int{}, 3.5, image.NewGray(image.Rect(0, 0, 5, 5))} {
		fmt.Print(kind(v), "; ")
	}
	fmt.Println()
	var f *failure
	_, opened := os.Open("/does/not/exist")
	fmt.Println(errors.As(fmt.Errorf("wrapped: %w", &failure{4}), &f), f, errors.Is(opened, os.ErrNotExist))
	fmt.Println(registry[reflect.TypeOf(level(0))], registry[reflect.TypeOf(image.Point{})], table[4095].name, len(table[7].boxes))
	m := reflect.ValueOf(level(1)).MethodByName("String").Call(nil)
	fmt.Println(m[0], reflect.TypeOf(w).Field(2).Tag.Get("json"))
	fmt.Printf("%+v %#v\n", failure{1}, level(0))
}

// Output:
// {"At":{"X":1,"Y":2},"Tags":{"x":[1,0]}} <nil>
// abc (2,3)
// nil; stringer high; error code 3; image 2; func 9; []main.level; map[string]int; ?; image 5;
// true code 4 true
// level point last 8
// high tags,omitempty
// {code:1} 0
