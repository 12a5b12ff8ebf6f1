package data

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// The published set has 3680 pictures to train on and 3669 to test on, of which
// the course validates on 1500.
const (
	oxfordTest       = 3669
	oxfordValidation = 1500
)

// oxfordLine is a picture in trainval.txt or test.txt.
type oxfordLine struct {
	name  string // of the file, without its ending
	class int    // from 0
}

// breed is the name's part before the number.
func (l oxfordLine) breed() string {
	breed, _, _ := cutLast(l.name, "_")
	return breed
}

// parseOxfordList reads lines such as "american_bulldog_100 2 2 1": the picture,
// its class from 1, its species and its breed among that species. Lines that
// begin with # are comments. Errors begin with the line.
func parseOxfordList(r io.Reader) ([]oxfordLine, error) {
	var lines []oxfordLine
	scan := bufio.NewScanner(r)
	for number := 1; scan.Scan(); number++ {
		text := strings.TrimSpace(scan.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		fields := strings.Fields(text)
		if len(fields) != 4 {
			return nil, fmt.Errorf("%d: %q has %d fields, not a picture and three numbers", number, text, len(fields))
		}
		name := fields[0]
		breed, digits, _ := cutLast(name, "_")
		if _, err := parseNumber(digits); err != nil || breed == "" || strings.ContainsAny(name, `/\`) {
			return nil, fmt.Errorf("%d: %q is no picture's name: a breed and a number were expected", number, name)
		}
		class, err := parseNumber(fields[1])
		if err != nil || class < 1 || class > maxClasses {
			return nil, fmt.Errorf("%d: the class is %q, not a number from 1", number, fields[1])
		}
		lines = append(lines, oxfordLine{name, class - 1})
	}
	return lines, scan.Err()
}

// oxfordPlan says what becomes of each picture.
type oxfordPlan struct {
	classes []string
	target  map[string]string // from the name in the archive to the path below the set's folder
	counts  [3]int            // of splitNames
}

// planOxford numbers the pictures: those of trainval.txt from 0, as its lines
// are ordered; then the part of test.txt to validate on, then the rest. Line i of
// n (from 0) is in that part where floor((i+1)·v/n) > floor(i·v/n), v being 1500
// of 3669. The file lists class after class, so every class gives its share.
func planOxford(trainval, test []oxfordLine) (*oxfordPlan, error) {
	if len(trainval) == 0 || len(test) == 0 {
		return nil, fmt.Errorf("its lists have %d and %d pictures", len(trainval), len(test))
	}
	p := &oxfordPlan{target: map[string]string{}}
	parts := [3][]oxfordLine{0: trainval}
	n, validation := len(test), (len(test)*oxfordValidation+oxfordTest/2)/oxfordTest
	for i, l := range test {
		split := 2
		if (i+1)*validation/n > i*validation/n {
			split = 1
		}
		parts[split] = append(parts[split], l)
	}
	id := 0
	for split, lines := range parts {
		p.counts[split] = len(lines)
		for _, l := range lines {
			if p.target[l.name] != "" {
				return nil, fmt.Errorf("its lists name %s twice", l.name)
			}
			p.target[l.name] = splitNames[split][0] + "/" + strconv.Itoa(l.class) + "_" + strconv.Itoa(id) + ".jpg"
			id++
		}
	}
	return p, p.nameClasses(trainval, test)
}

// nameClasses takes the classes' names from the pictures'.
func (p *oxfordPlan) nameClasses(lists ...[]oxfordLine) error {
	breeds := map[int]string{}
	for _, lines := range lists {
		for _, l := range lines {
			if b, ok := breeds[l.class]; ok && b != l.breed() {
				return fmt.Errorf("its class %d is %s and %s", l.class+1, b, l.breed())
			}
			breeds[l.class] = l.breed()
		}
	}
	for class := range len(breeds) {
		b, ok := breeds[class]
		if !ok {
			return fmt.Errorf("it has %d classes, but none with number %d", len(breeds), class+1)
		}
		p.classes = append(p.classes, title(b))
	}
	return nil
}

// title turns american_bulldog into American Bulldog.
func title(breed string) string {
	words := strings.FieldsFunc(breed, func(r rune) bool { return r == '_' })
	for i, w := range words {
		letters := []rune(strings.ToLower(w))
		letters[0] = unicode.ToUpper(letters[0])
		words[i] = string(letters)
	}
	return strings.Join(words, " ")
}
