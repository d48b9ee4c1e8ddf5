"""Photo edits: an image, and the words and strengths of a PhotoEditorRequest, become an edited image.

`parameters` is the one table of what each field does. Two editors read it, and either's result goes to
`upscaling`:

- `analytic` needs no model: it knows some words for light, colour and manner (`prompts`, `effects`), and
  says which of a prompt's it does not know.
- `diffusion` runs an image-to-image pipeline of the diffusers library from a folder that the user has.

`editing` puts them together. Images are uint8 tensors [H, W, 3], RGB, on any device.
"""
