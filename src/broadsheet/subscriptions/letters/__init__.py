"""The words of every letter about a subscription: values in, subject and paragraphs out. Every text is final.

`jobs_letters` finds the values and hands the letters to `mail`; nothing here decides who gets one.
"""
