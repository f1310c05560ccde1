"""What a second network of the same classes names the images that chains have drawn."""
