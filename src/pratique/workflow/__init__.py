"""The hall: one file per verb; joins the rooms."""
