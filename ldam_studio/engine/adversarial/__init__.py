"""Training a discriminator against the chains that it steers, in alternating rounds."""
