package data

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/pkg/transform"
)

// oxfordPicture is a picture of the set: where it goes, and what is known about it.
type oxfordPicture struct {
	oxfordLine
	split, id     int
	width, height int // 0 if it can't be decoded
	head          *transform.Region
	trimap        bool
}

// stem is the picture's name in the converted set, without the ending.
func (p *oxfordPicture) stem() string { return strconv.Itoa(p.class) + "_" + strconv.Itoa(p.id) }

// target is its path below the set's folder.
func (p *oxfordPicture) target() string { return splitNames[p.split][0] + "/" + p.stem() + ".jpg" }

// keepTruth copies the listed pictures' trimaps to dir/trimaps, unchanged, reads the boxes
// around their heads, and writes dir/index.csv, which [OpenTruth] reads. The sizes of the
// pictures must be known. What doesn't fit its picture is left out, with a message.
func (p *oxfordPlan) keepTruth(ctx context.Context, archive, dir string) (bad []string, err error) {
	if err := os.Mkdir(filepath.Join(dir, truthTrimaps), 0o755); err != nil {
		return nil, err
	}
	err = eachMember(ctx, archive, func(name string, size int64, r io.Reader) error {
		folder, base := path.Split(name)
		ending := path.Ext(base)
		picture := p.pictures[strings.TrimSuffix(base, ending)]
		isTrimap := folder == "annotations/trimaps/" && ending == ".png"
		isBox := folder == "annotations/xmls/" && ending == ".xml"
		if picture == nil || !isTrimap && !isBox {
			return nil
		}
		if size > maxOxfordFile {
			return fmt.Errorf("%s has %d bytes", name, size)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		var wrong error
		if isBox {
			picture.head, wrong = picture.box(content)
		} else if wrong = picture.checkTrimap(content); wrong == nil {
			if picture.trimap {
				return fmt.Errorf("%s occurs twice", name)
			}
			picture.trimap = true
			err = writeSynced(filepath.Join(dir, truthTrimaps, picture.stem()+".png"), content)
		}
		if wrong != nil {
			bad = append(bad, fmt.Sprintf("%s (%s): left out: %v", name, picture.target(), wrong))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(bad)
	return bad, atomicfile.WriteBytes(filepath.Join(dir, truthIndex), p.index())
}

// box reads the box around the head from a picture's XML file.
func (p *oxfordPicture) box(content []byte) (*transform.Region, error) {
	r, err := parseOxfordBox(content)
	switch {
	case err != nil:
		return nil, err
	case p.width == 0:
		return nil, errors.New("the picture can't be decoded")
	case r.X1 > float64(p.width) || r.Y1 > float64(p.height):
		return nil, fmt.Errorf("the box reaches to %g, %g, outside the picture of %dx%d", r.X1, r.Y1, p.width, p.height)
	}
	return r, nil
}

// checkTrimap checks that a trimap has its picture's size.
func (p *oxfordPicture) checkTrimap(content []byte) error {
	cfg, err := png.DecodeConfig(bytes.NewReader(content))
	if err == nil && p.width > 0 && (cfg.Width != p.width || cfg.Height != p.height) {
		err = fmt.Errorf("it is %dx%d, the picture %dx%d", cfg.Width, cfg.Height, p.width, p.height)
	}
	return err
}

// parseOxfordBox reads the first object's box of an annotation in the format of PASCAL
// VOC, whose pixels the set counts from 0 to the width and height.
func parseOxfordBox(content []byte) (*transform.Region, error) {
	var file struct {
		XMLName xml.Name `xml:"annotation"`
		Objects []struct {
			Box struct {
				XMin string `xml:"xmin"`
				YMin string `xml:"ymin"`
				XMax string `xml:"xmax"`
				YMax string `xml:"ymax"`
			} `xml:"bndbox"`
		} `xml:"object"`
	}
	if err := xml.Unmarshal(content, &file); err != nil {
		return nil, err
	}
	if len(file.Objects) == 0 {
		return nil, errors.New("it has no object")
	}
	b := file.Objects[0].Box
	var v [4]float64
	for i, text := range []string{b.XMin, b.YMin, b.XMax, b.YMax} {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(n >= 0 && n <= maxSide) {
			return nil, fmt.Errorf("the box has %q for a number of pixels", text)
		}
		v[i] = n
	}
	if v[0] >= v[2] || v[1] >= v[3] {
		return nil, fmt.Errorf("the box is empty: x from %g to %g, y from %g to %g", v[0], v[2], v[1], v[3])
	}
	return &transform.Region{X0: v[0], Y0: v[1], X1: v[2], Y1: v[3]}, nil
}

// index is the text of index.csv.
func (p *oxfordPlan) index() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	// Writing to a buffer can't fail.
	_ = w.Write(indexColumns)
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, k := range p.order {
		row := []string{
			k.stem() + ".jpg", splitNames[k.split][0], strconv.Itoa(k.class), strconv.Itoa(k.id),
			k.name, k.breed(), k.species, "", "", "", "", "", "", "",
		}
		if k.width > 0 {
			row[7], row[8] = strconv.Itoa(k.width), strconv.Itoa(k.height)
		}
		if k.head != nil {
			row[9], row[10], row[11], row[12] = number(k.head.X0), number(k.head.Y0), number(k.head.X1), number(k.head.Y1)
		}
		if k.trimap {
			row[13] = "trimap"
		}
		_ = w.Write(row)
	}
	w.Flush()
	return out.Bytes()
}
