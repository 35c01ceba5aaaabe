from flask import Flask
def make(): pass
make().
app = Flask(__name__)
