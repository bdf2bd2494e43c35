"""Surveys: events of one questionnaire to one person in, the answers that count out. Pure."""
