package vit

import (
	"fmt"
	"maps"
	"slices"
)

// keyRole is how Gaze treats a key of a preprocessing file.
type keyRole uint8

const (
	// obeyed: it changes the model's input and is supported.
	obeyed keyRole = iota
	// harmless: it doesn't change the model's input, whatever its value.
	harmless
	// foreign: it belongs to processors of other classes; null and false turn it off, any
	// other value is an error.
	foreign
)

// keyTable lists the known keys of a file, in the order of the documentation and with its
// words. Any other key is an error.
type keyTable []struct {
	key  string
	role keyRole
	does string
}

// role is a key's role; false for an unknown key.
func (t keyTable) role(key string) (keyRole, bool) {
	for _, row := range t {
		if row.key == key {
			return row.role, true
		}
	}
	return 0, false
}

// processorKeys are the keys of transformers' files.
var processorKeys = keyTable{
	{"image_processor_type", obeyed, "the class, whose defaults count for what the file leaves out; `…Fast` and `…FeatureExtractor` are the same class"},
	{"feature_extractor_type", obeyed, "the same, in older files"},
	{"do_resize", obeyed, "`resize`; off: the picture keeps its size"},
	{"size", obeyed, "`{\"height\", \"width\"}` or `[height, width]`: to that size, whatever the shape; `{\"shortest_edge\"}`: that side, keeping the shape; with `longest_edge`: at most that; a number: see `default_to_square`. `{\"longest_edge\"}` alone, `max_height`, `max_width`, `min_pixels` and `max_pixels` are errors"},
	{"default_to_square", obeyed, "a number as `size` is both sides (ViT, DeiT, BEiT), or the shorter one (the other classes)"},
	{"resample", obeyed, "PIL's number: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming; a name is an error"},
	{"do_center_crop", obeyed, "`centercrop(…,floor)`"},
	{"crop_size", obeyed, "a number for both sides, `[height, width]`, or `{\"height\", \"width\"}`"},
	{"crop_pct", obeyed, "ConvNeXT: below 384, the short side to `shortest_edge/crop_pct`, rounded down, then the centre of `shortest_edge`; from 384 on, to that size whatever the shape"},
	{"do_rescale", obeyed, "off: `totensor(scale=1)`, values from 0 to 255"},
	{"rescale_factor", obeyed, "`totensor(scale=…)`; 1/255 is `totensor`"},
	{"do_normalize", obeyed, "`normalize`"},
	{"image_mean", obeyed, "a number, or a list with one for each channel"},
	{"image_std", obeyed, "the same; not 0"},
	{"do_convert_rgb", obeyed, "pictures come as RGB in any case (alpha is dropped, as by PIL's `convert(\"RGB\")`, where transformers 5 puts the picture on white); true is an error for a model of grey pictures"},
	{"do_pad", obeyed, "true is an error unless all pictures already have one size, the one of `pad_size` if that is there"},
	{"pad_size", obeyed, "see `do_pad`"},
	{"use_square_size", obeyed, "CLIP: `size` is 224×224"},

	{"processor_class", harmless, "names the class for text and pictures together"},
	{"auto_map", harmless, "names code of the checkpoint's own, which transformers doesn't run either unless told to"},
	{"do_reduce_labels", harmless, "about segmentation maps"},
	{"reduce_labels", harmless, "the same, in older files"},
	{"data_format", harmless, "the order of the result's axes"},
	{"input_data_format", harmless, "the order of an array's axes"},
	{"return_tensors", harmless, "the kind of the result"},
	{"device", harmless, "where transformers computes"},
	{"disable_grouping", harmless, "how transformers computes"},
	{"use_fast", harmless, "which backend of transformers computes"},
	{"backend", harmless, "the same"},
	{"image_seq_length", harmless, "about text"},
	{"model_input_names", harmless, "what the result is called"},
	{"name_or_path", harmless, "where the file came from"},
	{"_name_or_path", harmless, "the same"},
	{"transformers_version", harmless, "who wrote the file"},
	{"_valid_processor_keys", harmless, "which keys the class had when the file was written"},
	{"_valid_kwargs_names", harmless, "the same"},

	{"size_divisor", foreign, "GLPN, ViLT, Swin2SR"},
	{"size_divisibility", foreign, "MaskFormer"},
	{"ensure_multiple_of", foreign, "DPT"},
	{"keep_aspect_ratio", foreign, "DPT"},
	{"do_flip_channel_order", foreign, "MobileViT"},
	{"rescale_offset", foreign, "EfficientNet"},
	{"offset", foreign, "ViViT"},
	{"include_top", foreign, "EfficientNet"},
	{"max_size", foreign, "DETR, YOLOS"},
	{"do_thumbnail", foreign, "Donut"},
	{"do_align_long_axis", foreign, "Donut"},
	{"do_color_quantize", foreign, "ImageGPT"},
	{"do_affine_transform", foreign, "ViTPose"},
	{"do_split_image", foreign, "Nougat, Idefics"},
	{"apply_ocr", foreign, "LayoutLM"},
	{"antialias", foreign, "torchvision's resize"},
}

// checkKeys refuses keys that aren't supported.
func (c *processorClass) checkKeys(values map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		role, ok := processorKeys.role(key)
		if !ok {
			return fmt.Errorf("the key %q isn't known, so that it can't be carried out", key)
		}
		own := key != "crop_pct" && key != "use_square_size" || slices.Contains(c.keys, key)
		if off := values[key] == nil || values[key] == false; !off && (role == foreign || !own) {
			return fmt.Errorf("%s is %s, which a %s doesn't carry out", key, shortJSON(values[key]), c.fullName())
		}
	}
	return nil
}
