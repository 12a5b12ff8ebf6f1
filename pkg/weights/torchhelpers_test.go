package weights

// openTorch reads a checkpoint of torch.save from memory, as Open does.
func openTorch(data []byte) (tensors []*Tensor, format Format, root string, err error) {
	return openTorchChoice(data, choice{})
}

// openTorchAt is openTorch with a chosen state dict; "" is the whole file.
func openTorchAt(data []byte, root string) (tensors []*Tensor, format Format, at string, err error) {
	if root == "" {
		content, err := readTorch(data)
		if err != nil {
			return nil, "", "", err
		}
		tensors, err = content.flatten(content.top, false)
		return tensors, content.format, "", err
	}
	return openTorchChoice(data, choice{root: root})
}

func openTorchChoice(data []byte, c choice) (tensors []*Tensor, format Format, root string, err error) {
	f := &File{}
	if tensors, err = f.readTorch(data, c); err != nil {
		return nil, "", "", err
	}
	return tensors, f.format, f.root, nil
}
