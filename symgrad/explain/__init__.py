"""Page of a derivation: `page` builds the document, `formats` writes it, and neither knows the other's business."""
