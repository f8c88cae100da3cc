"""The proof: every surface x reader x trick, tried from outside on real servers that hold canaries.

Called by `broadsheet leakcheck`, by the tests and by whoever runs a paper; `--url` tries a live site.
Never asks the code under test what is hidden: it knows because it wrote the stories, or reads the newsroom's database.
"""
