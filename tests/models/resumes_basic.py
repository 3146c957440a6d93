"""Resumes of our own writing: common layouts, and what each says."""

from tests.models.resume_case import Case

ONE_LINE_ENTRIES = Case(
    text="""\
Amara Okonkwo
Senior Backend Engineer
London, UK | amara.okonkwo@example.com | +44 20 7946 0958 | linkedin.com/in/amaraokonkwo

SUMMARY
Backend engineer who builds payment systems that do not lose money.

WORK EXPERIENCE
Senior Engineer — Acme Corp, London  Jan 2019 – Present
• Cut the cost of card payments by 30%
• Led a team of five engineers across two sites, and hired
  three of them
Software Engineer — Globex Ltd, Leeds  Mar 2015 – Dec 2018
• Built the ledger service in Go

EDUCATION
BSc Computer Science, University of Leeds  2011 – 2014
First Class Honours

SKILLS
Go, Python, PostgreSQL, Kafka

LANGUAGES
English (native), Igbo (native), French – B1
""",
    name="Amara Okonkwo",
    emails=["amara.okonkwo@example.com"],
    phones=["+442079460958"],
    location="London, UK",
    links=["https://linkedin.com/in/amaraokonkwo"],
    experience=[
        ("Senior Engineer", "Acme Corp", "2019-01", "present", 66, 2),
        ("Software Engineer", "Globex Ltd", "2015-03", "2018-12", 46, 1),
    ],
    education=[
        ("BSc", "Computer Science", "University of Leeds", "2011", "2014", "First Class Honours")
    ],
    skills=["Go", "Python", "PostgreSQL", "Kafka"],
    languages=[("English", "native"), ("Igbo", "native"), ("French", "B1")],
    certifications=[],
    years=9.3,
)

PIPES = Case(
    text="""\
JOHN O'BRIEN, MBA, PMP
123 Elm Street, Austin, TX 78701 • (512) 555-0147 • john.obrien@example.org
https://github.com/jobrien • www.johnobrien.dev

Professional Summary:
Program manager with a taste for short meetings.

Professional Experience:
Initech | Program Manager | 01/2019 - 03/2021
- Delivered twelve releases on time
- Ran the weekly review
Hooli | Project Coordinator | 06/2016 - 12/2018
- Kept the plan

Education:
Master of Business Administration, University of Texas at Austin, Austin, TX, 2016
B.A., Economics, Rice University, Houston, TX, 2012
GPA: 3.7/4.0

Certifications:
Project Management Professional (PMP), 2018
Certified ScrumMaster - March 2017

Technical Skills: Jira, Excel, SQL
""",
    name="JOHN O'BRIEN",
    emails=["john.obrien@example.org"],
    phones=["+15125550147"],
    location="Austin, TX 78701",
    links=["https://github.com/jobrien", "https://www.johnobrien.dev"],
    experience=[
        ("Program Manager", "Initech", "2019-01", "2021-03", 27, 2),
        ("Project Coordinator", "Hooli", "2016-06", "2018-12", 31, 1),
    ],
    education=[
        (
            "Master of Business Administration",
            None,
            "University of Texas at Austin",
            None,
            "2016",
            None,
        ),
        ("B.A.", "Economics", "Rice University", None, "2012", "3.7/4.0"),
    ],
    skills=["Jira", "Excel", "SQL"],
    languages=[],
    certifications=[
        ("Project Management Professional (PMP)", "2018"),
        ("Certified ScrumMaster", "2017-03"),
    ],
    years=4.8,
)

STACKED = Case(
    text="""\
Curriculum Vitae

María José García-López
Data Scientist

Email: mj.garcia@example.es
Tel: +34 612 34 56 78
Location: Valencia, Spain

Profile
=======
I turn data into decisions.

Employment History
==================
Banco Azul, Madrid
Data Scientist
September 2018 – to date
* Built churn models
* Explained them to the board

Telefonía Sur, Sevilla
Junior Data Analyst
Sept. '15 - August 2018
* Wrote the weekly report

Academic Background
===================
MSc in Statistics
Universidad de Valencia
2013 - 2015

Language Skills
===============
Spanish: native
English: C1
""",
    name="María José García-López",
    emails=["mj.garcia@example.es"],
    phones=["+34612345678"],
    location="Valencia, Spain",
    links=[],
    experience=[
        ("Data Scientist", "Banco Azul", "2018-09", "present", 70, 2),
        ("Junior Data Analyst", "Telefonía Sur", "2015-09", "2018-08", 36, 1),
    ],
    education=[("MSc", "Statistics", "Universidad de Valencia", "2013", "2015", None)],
    skills=[],
    languages=[("Spanish", "native"), ("English", "C1")],
    certifications=[],
    years=8.8,
)

DATES_FIRST = Case(
    text="""\
Nguyễn Văn An
nguyenvanan@example.vn / +84 24 3825 0123
Hanoi, Vietnam

Experience

2020-02 – present	QA Engineer, Lotus Software, Hanoi
Tests the booking engine by hand and by script.
Reports what breaks.
2017-06 – 2020-01	Support Technician, Red River Telecom, Hanoi
Answered four hundred tickets a month.

Education

2013 – 2017	Bachelor of Engineering in Electronics, Hanoi University of Science and Technology
""",
    name="Nguyễn Văn An",
    emails=["nguyenvanan@example.vn"],
    phones=["+842438250123"],
    location="Hanoi, Vietnam",
    links=[],
    experience=[
        ("QA Engineer", "Lotus Software", "2020-02", "present", 53, 1),
        ("Support Technician", "Red River Telecom", "2017-06", "2020-01", 32, 1),
    ],
    education=[
        (
            "Bachelor of Engineering",
            "Electronics",
            "Hanoi University of Science and Technology",
            "2013",
            "2017",
            None,
        )
    ],
    skills=[],
    languages=[],
    certifications=[],
    years=7.1,
)

GROUPED = Case(
    text="""\
# Priya Raman
priya.raman@example.in | Bengaluru, India | 080 2345 6789

## Experience

### Wipro Technologies
**Lead Developer** | Apr 2021 – Present
- Leads the mobile team
**Developer** | Jul 2017 – Mar 2021
- Wrote the Android client

### Infosys Limited
**Systems Engineer** | Jun 2015 – Jun 2017
- Kept the batch jobs alive

## Education
**B.Tech in Information Technology** | Anna University | 2011 – 2015 | CGPA: 8.4/10

## Skills
- Languages: Kotlin, Java
- Tools: Git, Gradle
""",
    name="Priya Raman",
    emails=["priya.raman@example.in"],
    phones=["+918023456789"],
    location="Bengaluru, India",
    links=[],
    experience=[
        ("Lead Developer", "Wipro Technologies", "2021-04", "present", 39, 1),
        ("Developer", "Wipro Technologies", "2017-07", "2021-03", 45, 1),
        ("Systems Engineer", "Infosys Limited", "2015-06", "2017-06", 25, 1),
    ],
    education=[("B.Tech", "Information Technology", "Anna University", "2011", "2015", "8.4/10")],
    skills=["Kotlin", "Java", "Git", "Gradle"],
    languages=[],
    certifications=[],
    years=9.1,
)

GERMAN = Case(
    text="""\
Lebenslauf

Persönliche Daten
Name: Jürgen von der Heide
Anschrift: Lindenstraße 12, 50674 Köln
Telefon: 0221 4567890
E-Mail: j.heide@example.de

Berufserfahrung
03/2019 – heute	Softwareentwickler, Müller Maschinenbau GmbH, Köln
- Entwicklung der Steuerung
10/2014 – 02/2019	Projektleiter, Stadtwerke Bonn AG, Bonn
- Einführung eines neuen Abrechnungssystems

Ausbildung
2009 – 2014	Diplom-Informatik, Universität Bonn, Note: 1,7

Kenntnisse
Java, C++, SQL

Sprachen
Deutsch: Muttersprache
Englisch: verhandlungssicher
""",
    name="Jürgen von der Heide",
    emails=["j.heide@example.de"],
    phones=["0221 4567890"],
    location="50674 Köln",
    links=[],
    experience=[
        ("Softwareentwickler", "Müller Maschinenbau GmbH", "2019-03", "present", 64, 1),
        ("Projektleiter", "Stadtwerke Bonn AG", "2014-10", "2019-02", 53, 1),
    ],
    education=[("Diplom-Informatik", None, "Universität Bonn", "2009", "2014", "1,7")],
    skills=["Java", "C++", "SQL"],
    languages=[("Deutsch", "Muttersprache"), ("Englisch", "verhandlungssicher")],
    certifications=[],
    years=9.8,
)

FRENCH = Case(
    text="""\
Hélène Lefèvre
12 rue des Lilas, 69003 Lyon, France
helene.lefevre@example.fr · 04 78 12 34 56

EXPÉRIENCE PROFESSIONNELLE

Ingénieure qualité chez Aéro Lyon
septembre 2016 à juin 2018
• Mise en place des contrôles

Responsable qualité chez Groupe Alpin
depuis juillet 2018
• Encadrement de six personnes

FORMATION
Diplôme d'ingénieur, École Centrale de Lyon, 2016

LANGUES
Français : langue maternelle
Anglais : courant
""",
    name="Hélène Lefèvre",
    emails=["helene.lefevre@example.fr"],
    phones=["+33478123456"],
    location="69003 Lyon, France",
    links=[],
    experience=[
        ("Ingénieure qualité", "Aéro Lyon", "2016-09", "2018-06", 22, 1),
        ("Responsable qualité", "Groupe Alpin", "2018-07", "present", 72, 1),
    ],
    education=[("Diplôme d'ingénieur", None, "École Centrale de Lyon", None, "2016", None)],
    skills=[],
    languages=[("Français", "langue maternelle"), ("Anglais", "courant")],
    certifications=[],
    years=7.8,
)

OVERLAPPING = Case(
    text="""\
Sam Taylor
sam.taylor@example.com

Experience
Consultant, Northwind Group, 2019-01 – 2020-12
Lecturer, City College, 2020-01 – 2021-12
Analyst, Contoso, 2016-01 – 2016-12

Education
PhD in Economics, City University, 2015
""",
    name="Sam Taylor",
    emails=["sam.taylor@example.com"],
    phones=[],
    location=None,
    links=[],
    experience=[
        ("Consultant", "Northwind Group", "2019-01", "2020-12", 24, 0),
        ("Lecturer", "City College", "2020-01", "2021-12", 24, 0),
        ("Analyst", "Contoso", "2016-01", "2016-12", 12, 0),
    ],
    education=[("PhD", "Economics", "City University", None, "2015", None)],
    skills=[],
    languages=[],
    certifications=[],
    years=4.0,
)
