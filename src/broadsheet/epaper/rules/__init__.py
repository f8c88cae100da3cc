"""Pure rules of the e-paper: where articles stand on a page, which story they are, how a page is made up."""
